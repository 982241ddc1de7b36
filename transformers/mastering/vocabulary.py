"""The standard schema of master data: fields of people, companies, products and orders, and what others call them.

Synonyms are header words of common systems in English, German, French, Spanish, Italian, Portuguese and Dutch, in
lower case with spaces; they are compared as words (names.py), so CUST_NO, custNo and "cust no" are one.
"""

from dataclasses import dataclass
from types import MappingProxyType

from transformers.cells.columns import NUMERIC, TEMPORAL, TEXTUAL, LogicalType
from transformers.cells.semantic_types import SemanticType as Semantic

WORDY = (LogicalType.TEXT, LogicalType.CATEGORICAL)
CODED = (*TEXTUAL, LogicalType.INTEGER)
DATED = (*TEMPORAL, LogicalType.INTEGER)  # 20240131 is read as a number
ANY: tuple[LogicalType, ...] = tuple(LogicalType)


@dataclass(frozen=True)
class StandardField:
    """`types` are what its values are read as; `meaning` is what values look like that can be nothing else."""

    name: str
    synonyms: tuple[str, ...]
    types: tuple[LogicalType, ...] = ANY
    meaning: tuple[Semantic, ...] = ()


def _field(name: str, synonyms: str, types: tuple[LogicalType, ...] = ANY, *meaning: Semantic) -> StandardField:
    known = tuple(word.strip() for word in synonyms.split(",") if word.strip())
    return StandardField(name, (name.replace("_", " "), *known), types, meaning)


FIELDS = (
    _field("entity_id", "record id, id, key, identifier, unique id, row id, guid, uuid", CODED, Semantic.UUID),
    _field("customer_id", "cust id, cust no, customer no, customer number, client id, client number, account id,"
           " account no, account number, kundennummer, kunden nr, kdnr, numero client, numero cliente, id cliente,"
           " codice cliente, klantnummer", CODED),
    _field("supplier_id", "vendor id, vendor no, supplier no, supplier number, lieferantennummer, id proveedor,"
           " codice fornitore, numero fournisseur, leveranciersnummer", CODED),
    _field("employee_id", "employee no, employee number, emp id, emp no, staff id, personalnummer, matricule,"
           " matricola, id empleado, personeelsnummer", CODED),
    _field("full_name", "name, customer name, client name, contact name, person name, nom complet, nombre completo,"
           " nome completo, vollstandiger name, naam, volledige naam", WORDY),
    _field("given_name", "first name, forename, fname, first, vorname, prenom, nombre, nome, voornaam, nome proprio",
           WORDY),
    _field("middle_name", "second name, middle initial, mname, zweiter vorname, segundo nombre, deuxieme prenom",
           WORDY),
    _field("family_name", "last name, surname, lname, last, nachname, familienname, nom, nom de famille, apellido,"
           " apellidos, cognome, sobrenome, achternaam", WORDY),
    _field("salutation", "title, prefix, honorific, anrede, civilite, tratamiento, titolo, aanhef", WORDY),
    _field("gender", "sex, geschlecht, sexe, sexo, sesso, genero, geslacht", (*WORDY, *NUMERIC, LogicalType.BOOLEAN)),
    _field("date_of_birth", "dob, birth date, birthdate, birthday, born, geburtsdatum, geburtstag, date de naissance,"
           " fecha de nacimiento, data di nascita, data de nascimento, geboortedatum", DATED),
    _field("age", "alter, edad, eta, idade, leeftijd", NUMERIC, Semantic.AGE),
    _field("nationality", "citizenship, staatsangehorigkeit, nationalite, nacionalidad, nazionalita, nationaliteit",
           WORDY),
    _field("national_id", "social security number, ssn, social security id, national insurance number, nino,"
           " passport number, personal number, steuer id, numero de securite sociale, dni, nif, codice fiscale, bsn",
           CODED),
    _field("email", "e mail, email address, mail, electronic mail, correo, correo electronico, courriel, posta"
           " elettronica, e mail adresse", TEXTUAL, Semantic.EMAIL),
    _field("phone", "telephone, phone number, telephone number, tel, tel no, telefon, telefonnummer, telefono,"
           " telefone, telefoonnummer, contact number, landline", CODED, Semantic.PHONE_NUMBER),
    _field("mobile_phone", "mobile, cell, cell phone, mobile number, handy, handynummer, portable, movil, cellulare,"
           " celular, telemovel, mobiel", CODED, Semantic.PHONE_NUMBER),
    _field("fax", "fax number, faxnummer, telefax", CODED),
    _field("website", "url, web, homepage, web site, web address, site, sitio web, sito web", TEXTUAL, Semantic.URL),
    _field("address_line_1", "address, street, street address, address 1, addr, addr1, strasse, anschrift, adresse,"
           " rue, voie, direccion, calle, indirizzo, via, endereco, rua, adres, straat", WORDY),
    _field("address_line_2", "address 2, addr2, address line two, apartment, suite, unit, adresszusatz,"
           " complement d adresse, complemento, toevoeging", WORDY),
    _field("house_number", "street number, street no, house no, hausnummer, numero de rue, numero civico, huisnummer",
           CODED),
    _field("city", "town, suburb, locality, municipality, ort, stadt, wohnort, ville, commune, ciudad, localidad,"
           " citta, comune, cidade, plaats, woonplaats", WORDY),
    _field("region", "state, province, county, bundesland, etat, departement, estado, provincia, regione, regiao,"
           " provincie, state province", WORDY),
    _field("postcode", "zip, zip code, postal code, post code, plz, postleitzahl, code postal, codigo postal, cap,"
           " codice postale, cep, postnummer, pincode", CODED, Semantic.POSTCODE),
    _field("country", "country name, country code, nation, land, pays, pais, paese, iso country", TEXTUAL,
           Semantic.COUNTRY_CODE),
    _field("latitude", "lat, breitengrad, latitud, latitudine", NUMERIC, Semantic.LATITUDE),
    _field("longitude", "lon, lng, long, langengrad, longitud, longitudine", NUMERIC, Semantic.LONGITUDE),
    _field("company_name", "company, organisation, organization, org name, business name, firm, employer, firma,"
           " unternehmen, societe, entreprise, raison sociale, empresa, razon social, azienda, ragione sociale,"
           " bedrijf, bedrijfsnaam", WORDY),
    _field("department", "dept, abteilung, service, departamento, reparto, afdeling", WORDY),
    _field("occupation", "profession, position, role, beruf, metier, ocupacion, professione, beroep", WORDY),
    _field("tax_id", "vat, vat id, vat number, tax number, ein, tin, ust id, umsatzsteuer id, numero tva, cif,"
           " partita iva, btw nummer", CODED),
    _field("iban", "bank account, account iban, kontonummer, compte bancaire, cuenta bancaria", TEXTUAL, Semantic.IBAN),
    _field("currency", "currency code, ccy, wahrung, devise, moneda, valuta, moeda", TEXTUAL, Semantic.CURRENCY_CODE),
    _field("product_id", "product no, product number, product code, item id, item no, item number, article number,"
           " sku, artikelnummer, reference produit, codigo producto, codice prodotto", CODED),
    _field("product_name", "product, item, item name, article, artikel, produkt, produit, producto, prodotto", WORDY),
    _field("brand", "manufacturer, make, maker, marke, hersteller, marque, fabricant, marca, merk", WORDY),
    _field("category", "type, class, group, segment, kategorie, categorie, categoria", WORDY),
    _field("description", "desc, details, beschreibung, descripcion, descrizione, descricao, omschrijving", WORDY),
    _field("price", "unit price, list price, cost, preis, prix, precio, prezzo, preco, prijs", NUMERIC,
           Semantic.CURRENCY_AMOUNT),
    _field("amount", "total, total amount, sum, value, betrag, gesamtbetrag, montant, importe, importo, valor, bedrag",
           NUMERIC),
    _field("quantity", "qty, units, count, menge, anzahl, quantite, cantidad, quantita, quantidade, aantal", NUMERIC),
    _field("order_id", "order no, order number, purchase order, bestellnummer, auftragsnummer, numero de commande,"
           " numero de pedido, numero ordine", CODED),
    _field("order_date", "purchase date, bestelldatum, date de commande, fecha de pedido, data ordine", DATED),
    _field("status", "state of order, zustand, statut, estado actual, stato", TEXTUAL),
    _field("language", "lang, locale, sprache, langue, idioma, lingua, taal", WORDY),
    _field("source_system", "source, src, origin, system, data source, quelle, herkunft, origine, fuente, fonte",
           TEXTUAL),
    _field("created_at", "created, creation date, date created, created on, erstellt am, date de creation,"
           " fecha de creacion, data creazione", DATED),
    _field("updated_at", "updated, modified, last modified, last updated, modified at, change date, geandert am,"
           " date de modification, fecha de modificacion, data modifica", DATED),
)  # fmt: skip

GENDERS = MappingProxyType(
    {"female": ("f", "fem", "woman", "w", "weiblich", "frau", "femme", "feminin", "mujer", "femenino", "femmina",
                "donna", "feminino", "vrouw"),
     "male": ("m", "man", "männlich", "mannlich", "mann", "herr", "homme", "masculin", "hombre", "masculino",
              "maschio", "uomo", "mannelijk")}
)  # fmt: skip
COUNTRIES = MappingProxyType(
    {"US": ("usa", "united states", "united states of america", "u.s.", "u.s.a.", "etats-unis", "estados unidos",
            "vereinigte staaten", "stati uniti"),
     "GB": ("uk", "united kingdom", "great britain", "england", "gbr", "vereinigtes königreich", "royaume-uni",
            "reino unido", "regno unito"),
     "DE": ("germany", "deutschland", "allemagne", "alemania", "germania", "alemanha", "duitsland", "deu"),
     "FR": ("france", "frankreich", "francia", "frança", "frankrijk", "fra"),
     "ES": ("spain", "spanien", "espagne", "españa", "espana", "spagna", "espanha", "spanje", "esp"),
     "IT": ("italy", "italien", "italie", "italia", "itália", "italië", "ita"),
     "PT": ("portugal", "portogallo", "prt"), "NL": ("netherlands", "the netherlands", "holland", "niederlande",
            "pays-bas", "países bajos", "paesi bassi", "nederland", "nld"),
     "BE": ("belgium", "belgien", "belgique", "bélgica", "belgio", "belgië", "bel"),
     "CH": ("switzerland", "schweiz", "suisse", "suiza", "svizzera", "che"),
     "AT": ("austria", "österreich", "autriche", "aut"), "PL": ("poland", "polen", "pologne", "polska", "pol"),
     "SE": ("sweden", "schweden", "sverige", "swe"), "NO": ("norway", "norwegen", "norge", "nor"),
     "DK": ("denmark", "dänemark", "danmark", "dnk"), "FI": ("finland", "finnland", "suomi", "fin"),
     "IE": ("ireland", "irland", "irl"), "CA": ("canada", "kanada", "can"), "AU": ("australia", "australien", "aus"),
     "NZ": ("new zealand", "nzl"), "JP": ("japan", "jpn"), "CN": ("china", "chn"), "IN": ("india", "indien", "ind"),
     "BR": ("brazil", "brasil", "brasilien", "bra"), "MX": ("mexico", "méxico", "mexiko", "mex")}
)  # fmt: skip
STANDARD_VALUES = MappingProxyType({"gender": GENDERS, "country": COUNTRIES})
