"""The values that toy queries talk about. Names are capitalised words, so that a copied value keeps its tokens."""

CITIES = """Paris Rome Berlin Madrid Lisbon Vienna Prague Dublin Oslo Helsinki Athens Warsaw Budapest Zurich
Geneva Milan Naples Seville Porto Lyon Nice Munich Hamburg Cologne Brussels Antwerp Rotterdam Utrecht
Copenhagen Stockholm Bergen Riga Vilnius Tallinn Krakow Sofia Bucharest Zagreb Split Tokyo Osaka Kyoto
Seoul Beijing Shanghai Bangkok Hanoi Manila Jakarta Delhi Mumbai Cairo Nairobi Lagos Accra Tunis
Boston Chicago Denver Seattle Austin Dallas Houston Miami Atlanta Phoenix Portland Toronto Montreal
Vancouver Lima Quito Bogota Santiago Sydney Melbourne Perth Auckland""".split()

FIRST_NAMES = """Anna Maria Julia Laura Emma Clara Sofie Lena Nora Alice Helen Grace Ruth Diana Irene Olga Vera Tanya
Mina Yuki Mei Priya Leila Amina Zara David Peter Thomas Martin Paul Simon Oscar Felix Hugo Louis Marco
Diego Pablo Ivan Boris Igor Kenji Hiro Chen Ravi Omar Karim Samuel Jonas""".split()

LAST_NAMES = """Smith Jones Brown Taylor Wilson Walker Wright Hughes Green Hall Lewis Clarke Baker Turner Parker
Cooper Morgan Reed Kelly Murphy Garcia Lopez Torres Silva Costa Rossi Bianchi Weber Fischer Wagner
Becker Schulz Novak Horvat Kowalski Nowak Petrov Sato Tanaka Suzuki Kim Park Singh Patel Khan Ali
Hassan Mensah""".split()

ADJECTIVES = """Blue Red Green Golden Silver Silent Bright Dark Hidden Broken Northern Southern Wild Quiet Little
Grand Royal Frozen Crystal Velvet Iron Ancient Modern Lucky Gentle Rapid Secret Lonely Happy Distant""".split()

NOUNS = """Harbor River Mountain Garden Forest Valley Bridge Tower Castle Meadow Island Lantern Window Mirror
Shadow Thunder Sunrise Winter Summer Autumn Falcon Tiger Dolphin Rabbit Dragon Anchor Compass Engine
Canvas Orchid""".split()

TOPICS = """Chemistry Physics Biology History Geometry Algebra Poetry Painting Sculpture Robots Planets Oceans
Volcanoes Dinosaurs Football Cycling Swimming Cooking Baking Gardening Sailing Hiking Chess Knitting
Pottery Finance Elections Medicine Farming Fashion Opera Jazz Ballet Cinema Logic Grammar Climate
Insects Bridges Railways""".split()

TAGS = """Urgent Family Office Private Budget Summer Vegan Spicy Sweet Fresh Local Cheap Luxury Outdoor Indoor
Classic Modern Vintage Sunny Cozy Fast Slow Loud Calm""".split()

BRANDS = """Acme Globex Initech Umbra Vertex Nimbus Orion Zenith""".split()

MONTHS = """January February March April May June July August September October November December""".split()

ONES = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen""".split()
TENS = """zero ten twenty thirty forty fifty sixty seventy eighty ninety""".split()


def spelled(number: int) -> str:
    """A number from 0 to 99 in words: 25 -> 'twenty five'."""
    if number < 20:
        return ONES[number]
    tens, ones = divmod(number, 10)
    return TENS[tens] if ones == 0 else f"{TENS[tens]} {ONES[ones]}"


def value_words() -> list[str]:
    """Every capitalised word a value can hold, sorted."""
    tables = (CITIES, FIRST_NAMES, LAST_NAMES, ADJECTIVES, NOUNS, TOPICS, TAGS, BRANDS, MONTHS)
    return sorted({word for table in tables for word in table})


def following_words() -> list[str]:
    """The capitalised words that follow another inside a value (`Grace Nowak`, `5 March`), sorted."""
    return sorted({word for table in (LAST_NAMES, NOUNS, MONTHS) for word in table})
