import type { Order } from '../shop/order.ts'

export type Customer = Pick<Order, 'customer' | 'address'>

interface Region {
  readonly country: string
  readonly domain: string
  /** A digit for each `0`, a letter for each `A`. */
  readonly postcode: string
  readonly cities: readonly string[]
  /** `%` is the number. */
  readonly streets: readonly string[]
  readonly names: readonly string[]
}

const regions: readonly Region[] = [
  {
    country: 'DE',
    domain: 'post.example',
    postcode: '00000',
    cities: ['Leipzig', 'Bremen', 'Freiburg', 'Köln'],
    streets: ['Lindenstraße %', 'Am Posthof %', 'Gartenweg %'],
    names: [
      'Jörg Weidmann',
      'Annika Böhm',
      'Fatma Yıldız',
      'Uwe Krämer',
      'Lena Hofstätter',
      'Matthias Groß',
      'Sophie Adler',
      'Timo Reinhardt',
      'Birgit Nowak',
      'Emre Şahin',
      'Klara Vogt',
      'Paul Lichtenberg',
    ],
  },
  {
    country: 'FR',
    domain: 'courrier.example',
    postcode: '00000',
    cities: ['Lyon', 'Nantes', 'Besançon', 'Orléans'],
    streets: ['% rue des Lilas', '% avenue de la Poste', '% quai Saint-Michel'],
    names: [
      'Amélie Durand',
      'Jean-Noël Garnier',
      'Chloé Lefèvre',
      'Idriss Benali',
      'Margaux Petit',
      'Étienne Caron',
      'Noémie Roux',
      'Lucas Fontaine',
      'Inès Marchand',
      'Hugo Perrin',
    ],
  },
  {
    country: 'GB',
    domain: 'mail.example',
    postcode: 'AA0 0AA',
    cities: ['Bristol', 'Leeds', 'Norwich', 'Edinburgh'],
    streets: ['% Mill Lane', '% Station Road', 'Flat %, 9 Castle Street'],
    names: [
      'Oliver Whitcombe',
      'Priya Raman',
      'Siobhán O’Keeffe',
      'George Ashdown',
      'Zainab Malik',
      'Harriet Penrose',
      'Callum Reid',
      'Beatrice Lowe',
      'Kwame Mensah',
      'Ruth Haldane',
      'Alfie Thornton',
    ],
  },
  {
    country: 'PL',
    domain: 'poczta.example',
    postcode: '00-000',
    cities: ['Kraków', 'Łódź', 'Gdańsk', 'Wrocław'],
    streets: ['ul. Pocztowa %', 'ul. Kwiatowa %', 'al. Niepodległości %'],
    names: [
      'Agnieszka Wójcik',
      'Paweł Zieliński',
      'Małgorzata Król',
      'Tomasz Śliwa',
      'Zofia Dąbrowska',
      'Michał Ostrowski',
      'Ewa Jabłońska',
      'Kacper Lis',
    ],
  },
  {
    country: 'ES',
    domain: 'correo.example',
    postcode: '00000',
    cities: ['Sevilla', 'Bilbao', 'Málaga', 'A Coruña'],
    streets: ['Calle Mayor %', 'Avenida del Correo %', 'Plaza Nueva %'],
    names: [
      'Íñigo Etxeberria',
      'Lucía Fernández',
      'Martín Peña',
      'Carmen Ibáñez',
      'Nuria Solé',
      'Álvaro Quintana',
      'Elena Muñoz',
      'Joan Ferrer',
    ],
  },
  {
    country: 'SE',
    domain: 'brev.example',
    postcode: '000 00',
    cities: ['Göteborg', 'Malmö', 'Umeå'],
    streets: ['Storgatan %', 'Brevgränd %', 'Åsvägen %'],
    names: [
      'Åsa Lindqvist',
      'Björn Sandström',
      'Elsa Nyström',
      'Karim Haddad',
      'Maja Öberg',
      'Nils Ekström',
      'Tove Hellberg',
    ],
  },
  {
    country: 'JP',
    domain: 'yubin.example',
    postcode: '000-0000',
    cities: ['京都市', '札幌市', '横浜市'],
    streets: ['中央町%丁目', '本町%丁目', '桜通り%番地'],
    names: ['佐藤 美咲', '田中 健太', '鈴木 葵', '中村 蓮', '小林 陽菜', '山本 樹'],
  },
  {
    country: 'US',
    domain: 'letters.example',
    postcode: '00000',
    cities: ['Portland', 'Duluth', 'Savannah', 'Tucson'],
    streets: ['% Postmaster Way', '% Elm Street', '% Old Mill Road Apt B'],
    names: [
      'Marcus Bell',
      'Dolores Aguilar',
      'Hannah Goldberg',
      'Tyrone Jefferson',
      'Mei-Ling Chen',
      'Walter Novak',
      'Rosa D’Angelo',
      'Caleb Whitehorse',
      'Ingrid Sorensen',
      'Deshawn Carter',
    ],
  },
]

/** Customers with one address each, in a mixed order. */
export function makeCustomers(random: () => number): Customer[] {
  const from = <Item>(list: readonly Item[]): Item => list[Math.floor(random() * list.length)] as Item
  const named = regions.flatMap((region) => region.names.map((name) => ({ region, name, place: random() })))
  return named
    .toSorted((a, b) => a.place - b.place)
    .map(({ region, name }, index) => {
      const id = `C-${String(index + 1).padStart(3, '0')}`
      return {
        customer: { id, name, email: `${mailbox(name) || id.toLowerCase()}@${region.domain}` },
        address: {
          street: from(region.streets).replace('%', String(1 + Math.floor(random() * 140))),
          postcode: region.postcode.replaceAll(/[0A]/g, (place) =>
            place === '0'
              ? String(Math.floor(random() * 10))
              : String.fromCharCode(65 + Math.floor(random() * 26)),
          ),
          city: from(region.cities),
          country: region.country,
        },
      }
    })
}

/** `Jörg Weidmann` to `joerg.weidmann`; empty where nothing of a name is Latin. */
function mailbox(name: string): string {
  const latin = name
    .toLowerCase()
    .replaceAll('ö', 'oe')
    .replaceAll('ä', 'ae')
    .replaceAll('ü', 'ue')
    .replaceAll('ß', 'ss')
  const plain = latin.replaceAll('ł', 'l').replaceAll('ı', 'i').normalize('NFD')
  return plain
    .replaceAll(/[^a-z .-]/g, '')
    .trim()
    .replaceAll(/ +/g, '.')
}
