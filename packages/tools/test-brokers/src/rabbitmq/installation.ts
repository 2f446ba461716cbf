/** RabbitMQ's programs, wherever they are. */
export interface RabbitmqInstallation {
  /** `3.10.8`. */
  readonly version: string
  /** How the server sees a data folder of ours. */
  folderInside(folder: string): string
  /** The command line of `rabbitmq-server`, `rabbitmqctl` or `epmd`, whose data are in `folder`. */
  command(
    program: 'rabbitmq-server' | 'rabbitmqctl' | 'epmd',
    folder: string,
    args: readonly string[],
  ): { readonly file: string; readonly args: readonly string[] }
}
