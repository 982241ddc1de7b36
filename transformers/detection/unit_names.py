"""Units by name: which texts beside a number are spellings of one unit, and which are no unit at all.

A general lexicon, and a short one: what is not in it ("E" of a seat, "UA" of a flight) is not taken for a unit. Case,
dots and the gap to the number are spelling, except where the case of a letter is another unit (mW and MW).
"""

import re

ISO_4217 = frozenset(
    """AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF
    CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL
    HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL
    MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON
    RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH
    UGX USD UYU UZS VED VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG""".split()  # noqa: SIM905 - as a list it takes five times the room
)
SIGNS = {"€": "EUR", "£": "GBP", "₹": "INR", "₩": "KRW", "₽": "RUB", "₺": "TRY", "$": "$", "¥": "¥"}
SPELLINGS = (
    "%|percent|per cent|pct",
    "kg|kgs|kilo|kilos|kilogram|kilograms|kilogramme|kilogrammes",
    "g|gram|grams|gramme|grammes",
    "mg|milligram|milligrams",
    "mcg|µg|μg|ug|microgram|micrograms",
    "lb|lbs|pound|pounds",
    "oz|ozs|ounce|ounces",
    "t|tonne|tonnes",
    "mm|millimeter|millimeters|millimetre|millimetres",
    "cm|centimeter|centimeters|centimetre|centimetres",
    "m|meter|meters|metre|metres",
    "km|kilometer|kilometers|kilometre|kilometres",
    'in|inch|inches|"',
    "ft|foot|feet|'",
    "yd|yds|yard|yards",
    "mi|mile|miles",
    "ml|milliliter|milliliters|millilitre|millilitres",
    "cl|centiliter|centiliters|centilitre|centilitres",
    "l|liter|liters|litre|litres",
    "gal|gals|gallon|gallons",
    "fl oz|fluid ounce|fluid ounces",
    "s|sec|secs|second|seconds",
    "ms|millisecond|milliseconds",
    "min|mins|minute|minutes",
    "h|hr|hrs|hour|hours",
    "day|days",
    "week|weeks|wk|wks",
    "month|months",
    "yr|yrs|year|years",
    "km/h|kmh|kph",
    "mph",
    "°c|celsius",
    "°f|fahrenheit",
    "kwh",
    "kw",
    "kcal",
    "rpm",
    "pcs|pc|piece|pieces",
    "px|pixel|pixels",
)
UNITS = {text: one.split("|")[0] for one in SPELLINGS for text in one.split("|")}
EXACT = frozenset("W mW MW kB KB MB GB TB Mb Gb Hz kHz MHz GHz V mV kV mA mAh".split())  # noqa: SIM905 - their case says which
BY_CASE = frozenset("gmlsht")  # a single letter is this unit as a small one alone ("L" apart)


def unit_of(text: str, *, glued: bool) -> str | None:
    """The unit that a text beside a number is, in one spelling; None where it is none. `glued`: without a space."""
    if text in EXACT:
        return None if glued and len(text) == 1 else text
    if len(text) == 1 and text.isalpha():  # 9E is a seat, and "5m" may be five million
        return None if glued or text not in BY_CASE | {"L"} else text.lower()
    plain = re.sub(r"\s+", " ", text.replace(".", " ").strip().lower())
    if "M" in text and text not in {text.upper(), text.title()}:
        return None  # "kMg", "pM": another case may be another unit
    return UNITS.get(plain)


def currency_of(text: str) -> str | None:
    code = text.strip()
    return code if code in ISO_4217 else SIGNS.get(code)


def units_named_in(header: str) -> set[str]:
    """The units that the name of a column says: ounces, weight_kg."""
    words = [word for word in re.split(r"[^a-zµ%°]+", header.lower()) if len(word) > 1 or word == "%"]
    return {UNITS[word] for word in words if word in UNITS}
