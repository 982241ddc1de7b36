"""The months as people write them, without accents and in small letters.

English, German, French, Spanish, Italian, Portuguese and Dutch, in full and as they are shortened.
"""

_NAMES = """jan january januar januari janner janv janvier ene enero gen gennaio janeiro
feb february februar februari fevr fev fevrier febrero febbraio fevereiro
mar march marz mrz maart mrt mars marzo marco
apr april avr avril abr abril aprile
may mai mei mayo maggio mag maio
jun june juni juin junio giugno giu junho
jul july juli juil juillet julio luglio lug julho
aug august augustus aout ago agosto
sep sept september septembre septiembre settembre set setembro
oct october okt oktober octobre octubre ottobre ott outubro out
nov november novembre noviembre novembro
dec december dez dezember decembre dic diciembre dicembre dezembro"""

MONTHS = {name: number for number, names in enumerate(_NAMES.splitlines(), start=1) for name in names.split()}
