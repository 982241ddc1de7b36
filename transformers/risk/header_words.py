"""The words by which columns of personal data are called, in many languages: lower case, accents folded away.

A pattern is asked of a header's words with single blanks between them (`words_of`). A header is a hint; values may
contradict it (personal_fields.py). Words that mean other things as well stand among the WEAK ones.
"""

from transformers.risk.personal_data import PersonalKind as Kind

# about a thing, or about the handling of the datum: email sent, phone model, birth rate
META = (
    r"\b(changed|updated|sent|count|status|verified|required|enabled|flag|attempts|rate|model|opened|valid|length|policy"
    r"|template|subject|place|country|weight|type code|order|ratio|index|label|brand|version|opt (in|out))\b"
)

NAMES: tuple[tuple[Kind, str], ...] = (
    (
        Kind.PASSWORD,
        (
            r"\b(password|passwd|passphrase|pwd|pass ?code|pin code|pincode hash|passwort|kennwort|mot de passe"
            r"|mdp|contrasena|senha|wachtwoord|haslo|losenord|passord|adgangskode|heslo|sifre|parola)\b|пароль"
            r"|密码|密碼|パスワード"
        ),
    ),
    (
        Kind.SECRET,
        (
            r"\b(secret|api key|apikey|access key|private key|access token|auth token|refresh token"
            r"|client secret)\b"
        ),
    ),
    (Kind.CARD_SECURITY_CODE, r"\b(cvv2?|cvc2?|card security code|security code|prufziffer)\b"),
    (Kind.US_SSN, r"\b(ssn|social security|soc sec( id| no| number)?)\b"),
    (
        Kind.NATIONAL_ID,
        (
            r"\b(national id\w*|national identifier|national insurance|passport|reisepass\w*|pasaporte|passeport"
            r"|passaporte?o?|paszport|paspoort\w*|driv(er|ers|er's|ing) ?licen[cs]e|fuhrerschein\w*"
            r"|permis de conduire|carnet de conducir|licencia de conducir|rijbewijs\w*|prawo jazdy|korkort\w*|cnh"
            r"|nino|nin|tax ?id|taxpayer|tin|itin|steuer ?id\w*|steueridentifikationsnummer|identity (card|number"
            r"|document)|id card|personalausweis\w*|ausweis ?(nr|nummer)|bsn|burgerservicenummer"
            r"|rijksregisternummer|cpr|cpr nummer|fodselsnummer|henkilotunnus|hetu|personnummer|personnr"
            r"|rodne cislo|securite sociale|nir|sozialversicherungs\w*|ahv\w*|seguridad social|codice fiscale|cpf"
            r"|curp|aadhaa?r|nif|nie|dni|pesel|cnp|egn|kimlik|tckn|rut|nhs (number|no)|medicare|nric|kennitala"
            r"|isikukood|emso|oib|jmbg)\b|паспорт|\bинн\b|снилс|身份证|身分證|マイナンバー|주민등록"
        ),
    ),
    (Kind.CARD_DETAIL, r"\b(cc|card|credit card) (type|expires|expiry|exp|expiration|brand|network|holder)\b"),
    (
        Kind.CREDIT_CARD,
        (
            r"\b(cc|card|credit card|creditcard|pan|debit card)( number| no| num| nr)\b|\b(credit|debit) ?card\b"
            r"|\bccnum\b|\bkreditkart\w*|\btarjeta\b|\bcarte (bancaire|de credit|bleue)\b|\bcarta di credito\b"
            r"|\bcartao\b|信用卡|クレジットカード"
        ),
    ),
    (Kind.IBAN, r"\biban\b"),
    (
        Kind.BANK_ACCOUNT,
        (
            r"\b(bank account|bank acct|account (number|no|nr|num)|acct (number|no)|routing (number|no)|sort code"
            r"|konto ?(nummer|nr)|bankverbindung|numero de cuenta|cuenta bancaria|numero de compte"
            r"|rekening ?nummer|conto corrente|numero d[ae] conta|numer konta|clabe)\b|银行账号|口座番号"
        ),
    ),
    (
        Kind.HEALTH,
        (
            r"\b(diagnos(is|es|e|en|tico|tic|i)|icd ?(9|10|code)|medications?|prescriptions?|allerg(y|ies)"
            r"|blood (type|group)|symptoms?|medical record|mrn|mental health|treatment|therapy|family history"
            r"|health (insurance|status)|disability|hiv|illness|disease|krankheit\w*|enfermedad|malattia|maladie"
            r"|blutgruppe|medikament\w*)\b"
        ),
    ),
    (
        Kind.SPECIAL_CATEGORY,
        (
            r"\b(race|ethnicity|ethnic|ethnie|etnia|religion|religious|religione|religiao|konfession|godsdienst"
            r"|wyznanie|political (party|opinion|affiliation)|sexual orientation|trade union|biometric|fingerprint"
            r"|criminal record)\b"
        ),
    ),
    (
        Kind.EMAIL,
        (
            r"\be ?mails?\b|\bmail( address)?$|\bcourriel\b|\bcorreo\b|\bmejl\b|\bposta elettronica\b|邮箱|メール"
            r"|почта"
        ),
    ),
    (
        Kind.DATE_OF_BIRTH,
        (
            r"\b(birth ?day|birth ?date|date of birth|birth|dob|born( on)?|geburtsdatum|geburtstag|geboren"
            r"|naissance|nacimiento|nascita|nascimento|geboortedatum|urodzenia|fodselsdato|fodelsedatum"
            r"|syntymaaika|narozeni|szuletesi|dogum tarihi)\b|рождения|出生|生年月日|생년월일"
        ),
    ),
    (
        Kind.PHONE,
        (
            r"\b(phone|telephone|mobile|cell|cell ?phone|fax|handy)( ?(number|no|num|nr))?( \d)?$|\btel( nr| no)?$"
            r"|\btelefoon\w*|\btelefon[oe]?s?\b|\btelefonnummer\b|\btelefonnr\b|\bhandynummer\b|\brufnummer\b"
            r"|\bmobilnummer\b|\bmobiltelefon\b|\bcelular\b|\bmovil\b|\bcellulare\b|\bportable$|\bpuhelin\w*"
            r"|\bgsm\b|телефон|电话|手机|電話|携帯|전화"
        ),
    ),
    (
        Kind.PERSON_NAME,
        (
            r"\b(first|last|given|fore|sur|family|middle|maiden|full|christian|nick|birth) ?(name|initials?)\b"
            r"|\b(surname|forename|maiden|lastname|firstname|fname|lname)\b|\b(customer|client|patient|employee"
            r"|person|contact|student|member|holder|applicant|guest|passenger|cardholder|user|owner|buyer|driver"
            r"|doctor|teacher|manager|recipient|beneficiary|spouse|parent)s? ?(full )?name\b|^(first|last"
            r"|authors?)$|\b(vorname|nachname|familienname|geburtsname|rufname|prenom|nom de famille|apellidos?"
            r"|cognome|sobrenome|apelido|voornaam|achternaam|imie|nazwisko|fornavn|etternavn|efternavn|fornamn"
            r"|efternamn|etunimi|sukunimi|jmeno|prijmeni|keresztnev|vezeteknev|prenume|soyadi?)\b|^имя$|фамилия"
            r"|отчество|姓名|氏名|성명"
        ),
    ),
    (
        Kind.ADDRESS,
        (
            r"\b(street|address( ?(line ?)?\d)?|addr|strasse|hausnummer|house (number|no)|anschrift|residence"
            r"|adresse|adress|adres|adresa|direccion|domicilio|calle|indirizzo|endereco|morada|logradouro|straat"
            r"|huisnummer|ulica|osoite|lakcim)\b|адрес|地址|住所|주소"
        ),
    ),
    (
        Kind.USERNAME,
        (
            r"\b(user ?name|login( name)?|screen name|handle|benutzername|nutzername|nombre de usuario"
            r"|nom d utilisateur|gebruikersnaam|anvandarnamn|brugernavn)\b|用户名|ユーザー名"
        ),
    ),
    (
        Kind.INCOME,
        (
            r"\b(salary|income|wages?|net worth|credit score|salario|gehalt|lohn|einkommen|salaire|stipendio"
            r"|reddito|inkomen|wynagrodzenie)\b|зарплата|工资|年収"
        ),
    ),
    (
        Kind.POSTCODE,
        (
            r"\b(zip( ?code)?|post ?code|postal code|plz|postleitzahl|code postal|codigo postal|cap|cep"
            r"|kod pocztowy|postnummer|postnr|psc|iranyitoszam|posta kodu)\b|индекс|邮编|郵便番号"
        ),
    ),
    (
        Kind.GENDER,
        (
            r"\b(gender|sex|geschlecht|sexe|sexo|sesso|geslacht|plec|kjonn|sukupuoli|pohlavi|cinsiyet)\b|^пол$"
            r"|性别|性別|성별"
        ),
    ),
    (
        Kind.AGE,
        (
            r"^age$|\bage (years|at|of|in)\b|\b(patient|customer|person|driver|employee) age\b|^(alter|edad|idade"
            r"|eta|leeftijd|wiek|alder|ika|vek|yas|возраст|年龄|年齢|나이)$"
        ),
    ),
    (
        Kind.CITY,
        (
            r"^((home|birth|residence|billing|mailing|customer|patient) )?(city|town|suburb|locality|ort|wohnort"
            r"|stadt|ville|ciudad|localidad|citta|comune|cidade|woonplaats|plaats|miasto|miejscowosc|stad|postort"
            r"|kaupunki|mesto|varos|sehir|город|城市|市)$"
        ),
    ),
    (Kind.IP_ADDRESS, r"\b(ip|ip address|ipv[46]|client ip|remote addr)\b"),
    (Kind.LOCATION, r"^(lat|latitude|lon|lng|long|longitude)$|\bgps\b"),
    (
        Kind.VEHICLE_ID,
        (
            r"\b(vin|vehicle identification|licen[cs]e plate|number plate|plate (number|no)|kennzeichen|matricula"
            r"|immatriculation|targa|kenteken|fahrgestellnummer)\b"
        ),
    ),
    (Kind.DEVICE_ID, r"\b(imei|imsi|iccid|device id|android id|idfa|advertising id|mac address)\b"),
)

WEAK: tuple[tuple[Kind, str], ...] = (  # only where the values say the same
    (
        Kind.PERSON_NAME,
        (
            r"^(full )?names?$|^(nom|nombres?|nome|naam|navn|namn|imiona|nume|ad|nazwa|nimi|nev|имя|名前)$"
            r"|^(customer|client|patient|employee|person|contact|student|member|holder|applicant|guest|passenger"
            r"|cardholder|user|owner|buyer|driver|doctor|teacher|manager|recipient|beneficiary|spouse|parent)s?$"
            r"|\b(by|contact|seller|agent)$"
        ),
    ),
)
_TECHNICAL = r"\b(mac|memory|web|url|contract|file|host|e ?mail|ip|server|wallet) address\b"  # no place to live
TECHNICAL = {Kind.ADDRESS: _TECHNICAL}
EVENTS = (  # no birth: what such a column's dates are of
    r"\b(created|updated|modified|invoice|order|ordered|shipped|due|paid|payment|start|end|expir\w*|release|event|time"
    r"|timestamp|hired?|joined|signup|registered|visit|admission|discharge|sold|built|published|founded|opened|closed)\b"
)
PLACES = (  # a table of places: their towns and coordinates are nobody's
    r"\b(shop|store|place|branch|station|venue|restaurant|hotel|warehouse|depot|airport|site|brewery|beer|hospital|school"
    r"|museum|park|facility|provider|outlet|stop|sensor)\b"
)
THINGS = (  # which are often called like somebody
    r"\b(county|state|city|town|suburb|region|province|district|country|company|firm|org|organi[sz]ation|brewery|brand|make"
    r"|model|school|team|hospital|venue|shop|store|product|species|genus|language|nationality)\b"
)
