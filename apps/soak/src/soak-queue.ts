export const queue = 'soak'
