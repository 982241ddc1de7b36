# ruff: noqa: SIM905  a list of so many literals is no easier to read
"""Common surnames of many languages, without their accents, and how surnames end where they are made from others."""

import re

SURNAMES = frozenset(
    """abdullah abebe abrahamsson adamczyk adams adeyemi agarwal aguiar aguilar ahmed ahonen akhtar albrecht alekseev
    alexander ali allen almeida alvarado alvarez alves amato andersen anderson andersson andre andreassen andreev
    andrews antunes araujo armstrong arnaud arnold arslan arvidsson aslan aubert austin axelsson aydin azevedo babic
    bader bailey baker bakker balazs balogh banerjee baran barbier barbieri barbosa barker barnes barone barrett
    barros bartos basile batista battaglia bauer baumann beaudoin beaulieu beck becker begum belanger bellini
    benedetti benes beneventi bengtsson bennett berg bergamaschi berger bergeron berglund bergman bergmann bergstrom
    bernard bernardi berry berthelsen bertrand bianchi bianco biro bjork bjorklund blake blanc blanchard blazek blom
    blomqvist bogdan bohm boisvert bondarenko boni bonnet borges bose botha bouchard boucher bourgeois bowman boyd
    boyer boyko bozic bradley brandt braun brennan brkic brooks brouwer brown brun brunet brunner bruno bryant
    buchanan bui burke burns burton busch busson butler byrne cai calabrese cameron campbell campos cao caputo carbone
    cardoso carlson caron carr carroll carter caruso carvalho castiglione castillo castro cattaneo cavalcanti celik
    cermak cerny cetin chan chapman charest charpentier chatterjee chauhan chavez chen cheng cheung chevalier cho choi
    chopra chowdhury christensen christiansen claes claesson clark clarke clement cloutier coelho cole coleman colin
    collins colombo connolly conte conti contreras cook cooper coppola correa correia cortes costa costantini cox
    crawford cremonesi cruz cunha cunningham dabrowski damico dang dangelo daniels danielsson dasilva daviau david
    davis dean deangelis deboer debruijn declercq degraaf degroot dehaan dekker delgado deluca demir deng denis derosa
    desantis desrosiers devries dewit diallo dias diaz dietrich dijkstra ding diop dixon djordjevic dlamini dogan
    doherty dolezal dominguez donati dong doyle du duarte dubois dudek duffy dufour dumas dumitru dumont duncan dunn
    duong dupont dupuis durand duval dvorak eberhart eder edwards egger egorov eklund elliott ellis endrizzi engel
    engstrom eriksen eriksson espinoza esposito estrada evans fabbri fabre fallaci farina farkas faure fazekas fedorov
    feher fekete feliciano feng ferguson fernandes fernandez ferrara ferrari ferraro ferreira ferretti ferri fiala
    figueiredo fiore fischer flores fodor folliero fonseca fontaine fontana forsberg fortin foster fournier fowler
    francois frank franke franklin fransson fraser fredriksson freeman freitas frey friedrich fuchs fuller furst gagne
    gagnon gaillard gal gallagher galli gallo gao garcia garnier garrett gartner garza gaspar gatti gauthier gautier
    geiger genovesi gentile george georgiou gerard gheorghe ghosh gibson gilbert giordano girard giraud giuliani
    glockner godina golob gomes gomez goncalves gonzales gonzalez goossens gordon gorski govender grabowski graf
    graham grant grassi grasso greco greene griffin grondin gruber guerin guerra guerrero gulyas gunnarsson gunther
    guo gupta gustafsson gutierrez guzman haas habicht haddad hagen hahn hajek hakansson halvorsen hamalainen hamilton
    hansen hanson hansson hardy harper harris harrison hart hartmann harvey hassan haugen hawkins hayashi hayes
    heikkinen heinonen heinrich henderson hendriks henriksen henriksson henry hernandez herrera herrmann hicks hill
    himmel hoang hocevar hoekstra hofer hoffman hoffmann hofmann holmberg holmes holub horak horn horvat horvath
    hossain howard howell hribar huang huber hudson hughes huisman hunt hussain iadanza ibrahim ilic ilves inoue
    ioannou ionescu iqbal isaksson ito ivanov iyer jablonski jackson jacobs jacobsen jager jain jakab jakobsson james
    jang jankowski jansen janssen jansson jarvinen jarvis jaworski jean jelinek jenkins jensen jessen jiang jimenez
    johannessen johansen johansson johnsen johnson johnston jokinen joly jomphe jones jonsson jordan jorgensen joshi
    jovanovic juhasz jung junker juric kaczmarek kadlec kaiser kalb kamau kaminski kang kapoor kara karjalainen
    karlsen karlsson kask kastner kato katona kaufmann kaur kavanagh kavcic kaya keita keller kelley kelly kennedy
    kerr khan khoury kilic kim kimura king kiraly kis kiss kjaer klein kleist knezevic knudsen kobayashi koc koch
    kocsis kohl kohler kok kolar konecny konig kopecky koppel korbun korhonen korosec kos koskinen koster kotnik
    kovacevic kovacic kovacs kovalenko kovar kowalczyk kowalski kozlov kozlowski krajnc kral kralj kramer kratochvil
    kraus krause kravchenko krawczyk kristensen kristiansen kriz krol kruger kucera kuester kuhn kuiper kukk kumar
    kurt kuster kuznetsov kwiatkowski kwon lacroix lahtinen laine laitinen lakatos lambert lang lange larsen larson
    larsson laszlo lau laurent lauridsen lavoie lawrence lawson lebedev leblanc lechner leclerc leclercq lee lefebvre
    legrand lehmann lehtinen lehtonen leitner lemaire lemoine lennert leone leroux leroy lettiere levesque lewandowski
    lewis liang lim lima lin lind lindberg lindgren lindholm lindqvist lindstrom liu lofgren lombardi lombardo longo
    lopes lopez lorenz lorenzo lu lucas lucchesi ludwig lukacs luna lund lundberg lundgren lundin lundqvist luo lynch
    maas macdonald machado mackenzie maclean madsen maes magi magnusson magyar mahmoud maier majewski makarov makela
    makinen maldonado malhotra malik malinowski mancini manfrin manna marcelo marchand marchetti mares mariani maric
    marie marin marini marino markovic marques marquez marshall martens martin martinelli martinez martini martino
    martins masson matei mathieu mathisen matos matousek matsumoto matthews mattila mattsson maurer mayer mayr mazur
    mazza mbeki mccarthy mccoy mcdonald mcintyre medina mehta meier meijer mejia melnyk melo mendes mendez mendoza
    mensah mercier mertens messina meszaros meunier meyer michalak michalski michel mikhailov milanesi milani miller
    mills mishra mitchell mlakar mohamed moller molnar monaldo montanari monteiro montgomery monti moore morales
    moravec moreau moreira morel morelli moreno moretti morgan morin moroz morozov morris morrison mortensen moser
    moura moyo mueller mukherjee mulder muller munoz munro munteanu murphy murray musil mwangi myers nagel nagy naidoo
    nair nakamura napolitano nash nasser naumann navratil ncube ndiaye ndlovu negri nelson nemec nemeth neri neumann
    neves ngo nguyen nichols nicolas nielsen niemi nieminen nikitin nikolaev nikolaou nikolic nilsen nilsson nkosi
    noel nogueira nolan nordstrom novak novikov novotny nowak nowakowski nowicki nucci nunes nunez nyberg nystrom
    obrien oconnor okafor okeke olah oliveira oliver olivier olofsson olsen olson olsson olszewski oneal oneill onio
    orlando orlov orsos ortega ortiz oster ostrowski otieno otto ouellet owens owusu ozdemir ozkan ozturk padilla
    padovesi pagano palerma palmer palmieri palumbo pan pandey papadopoulos papp pappas papst paquette parisi parker
    parn patel paterson patterson pavlov pavlovic pawlak pawlowski payne pedersen peeters pellegrini pellegrino
    pelletier pena peng pereira perez perkins perrin perry persson peters petersen peterson petrov petrovic pettersen
    pettersson pfaff pfeifer pfeiffer pham phan philippe phillips picard piccio pichler pierce pietrzak pillay pinter
    pinto piotrowski piras pires pirozzi pisano pohl pokorny polak popa popescu popov pospisil potocnik poulsen powell
    pretorius prins probst prochazka pugliesi quinn racine racz radu rahman ramirez ramos rantanen rao rasmussen ray
    rebane reddy reed reid reinhard reis reiter ren renard renaud rey reyes reynolds ribeiro ricci richards richardson
    richter riley rinaldi rios ritter riva rivera rizzi rizzo roberts robertson robin robinson rocha roche rodrigues
    rodriguez roger rogers rojas romano romero rosing ross rossetti rossi roth rousseau roussel roux roy rozman
    ruggiero ruiz russell russo rusu rutkowski ruzicka ryan saar saarinen sabbatini sagese sahin saito salazar saleh
    salminen salo salonen samuelsson sanchez sandberg sanders sandor sandoval sanger sanna santiago santoro santos
    sartori sasaki sato sauer savolainen schaefer schafer scherer schiavone schmid schmidt schmitt schmitz schneider
    scholz schouten schreiber schroder schroeder schubert schultz schulz schulze schumacher schuster schwarz
    schweitzer scott sedlak seidel seiler semenov seo sepp serra shah sharma shaw sheldon shen shevchenko shimizu shin
    shuster siciliano sikora silva silvestri simard simek simmons simoes simon simpson sims simsek sinclair singh
    sinha sipos sjoberg smirnov smit smith smits snyder soares soderberg sokolov sorrentino soto soukup sousa souza
    spencer stanek stastny steiner stepanov stephens stepien stevens stewart stoica stojanovic stokes strauss su
    sullivan sun sutton suzuki svensson svoboda sykora szabo szalai szewczyk szilagyi szucs szymanski takacs takahashi
    tamm tanaka tang tavares taylor teixeira tesfaye testa theiss thomas thompson thomsen tian tichy tiwari tkachenko
    tomaszewski torok torres toscani toth toure tran traore tratnik traugott tremblay trentini trevisan trommler
    tucker tuominen turner turunen udinese unger urban urner valdez valenta valentini vanbeek vandam vandenberg
    vandenbroek vandenheuvel vanderheijden vanderlinden vandermeer vanderveen vandeven vandijk vanek vanleeuwen
    vanvliet vanwyk varga vargas vasiliev vasquez vavra veenstra vega venter verhoeven verma vermeulen vesely vidal
    vidmar vieira vincent virtanen visser vitale vitali vlahos vlcek vo vogel vogt voigt volkov vu wagner walczak
    walker wallace waller wallin walsh walter wang ward warren washington watanabe watkins watson webb weber wechsler
    wei weiss weisz welch wells werner wheeler whitehead wieczorek wikstrom willems williams williamson willis wilson
    wimmer winkler wisniewski witkowski wojcik wolf wolff wong wouters wozniak wright wrobel wroblewski wu wurfel xiao
    xie xu yadav yamada yamaguchi yamamoto yang yao ye yildirim yildiz yilmaz yoon yoshida young yu yuan zagar zajac
    zakharov zalewski zeman zeng zetticci zhang zhao zheng zhou zhu ziegler zielinski zimmerman zimmermann zupancic
    zweig""".split()
)
ENDINGS = re.compile(
    r"\w{2,}(sson|dottir|sdatter|sen|son|guez|nez|rez|dez|quez|ova|eva|ov|ev|ovic|evic|vic|ski|ska|cki|cka|czyk|czak|enko|chuk"
    r"|escu|eanu|idis|akis|poulos|poulou|oglu|[mnrs]yan|dze|shvili|nen|qvist|kvist|strom|gaard|stra|vili)"
)
