# ruff: noqa: SIM905  a list of 200 literals is no easier to read
"""Common given names of many languages: a column in which they abound holds people, whatever it is called."""

GIVEN_NAMES = frozenset(
    """aaron adam ahmed aisha alan albert alejandro alex alexander alexandra ali alice alicia amanda amir amy ana
    andrea andreas andrew angela anita ann anna anne annie anthony antonio arthur barbara beatrice benjamin bernard
    betty bill bob brandon brenda brian bruce carl carla carlos carmen carol caroline catherine charles charlotte chen
    christian christina christine christopher claire clara claudia craig cynthia dan daniel david deborah debra dennis
    diana diane diego donald donna dorothy doris douglas edward elena elizabeth ella emily emma eric erik ethan eva
    evelyn fatima felix fernando florian frances francesca francis francisco frank franz fred gabriel gary george
    gerald giovanni gloria grace greg gregory hannah hans harold harry hassan heather heinz helen helga henry hiroshi
    ibrahim ingrid irene isabel isabella ivan jack jacob jacqueline james jan jane janet janice jason javier jean
    jeffrey jennifer jeremy jerry jessica jim joan joe johan johannes john jonathan jorge jose joseph joshua joyce juan
    judith judy julia julie justin karen karl karin katherine kathleen keith kelly kenneth kevin kim klaus larry laura
    lauren lawrence leo leon li linda lisa louis louise luca lucas lucia lucy luis luke magdalena manuel marco margaret
    maria marie mario mark markus marta martha martin mary matteo matthew max megan mei melissa michael michelle miguel
    mohamed mohammed monica muhammad nancy natalie nathan nicholas nicolas nicole noah olga oliver olivia omar oscar
    pablo pamela patricia patrick paul paula pedro peter petra philip pierre priya rachel ralph raymond rebecca
    ricardo richard robert roberto roger ronald rosa roy russell ruth ryan sabine sally samantha samuel sandra sara
    sarah scott sean sebastian sergio sharon shirley simon sofia sophia sophie stefan stephanie stephen steve steven
    susan susanne svetlana sven teresa theresa thomas timothy tina tom tony ursula valentina vera veronica victor
    victoria viktor vincent virginia walter wang wei werner william wolfgang yan yuki yusuf zhang""".split()
)
ABOUND = 0.2  # of the cells begin or end with one: words, places and products do not
