# ruff: noqa: SIM905  a list of so many literals is no easier to read
"""Common given names of many languages, without their accents: a column in which they abound holds people."""

GIVEN_NAMES = frozenset(
    """aarav aaron abdul abigail adam adele aditi aditya adrian agnes agnieszka ahmad ahmed aidan aiden aisha akira alan
    alana albert albin alejandro aleksander aleksandra alena ales alessandra alessandro alex alexander alexandra
    alexey alexis alfonso alfred alfredo ali alice alicia alina alison allan allen allison alma alois alvaro alvin
    amal amalia amanda amara amelia amelie amina amir amit amy ana anastasia anaya anders andre andrea andreas andreea
    andrej andreja andrew andrey andrzej anette angel angela angelica angelo angus anh anika anil anita anja anjali
    anke ankit ann anna annabelle anne annette annie annika anouk ansgar anthony antoine anton antonia antonin antonio
    anttu anze arjun arlene armando arne arnold aron arthur artur arturo arun arvid asa asger ashley ashok ashton asta
    astrid augusta aurora ava axel ayse bailey barbara barbora barry bart bartosz beata beatrice beatriz ben benedikt
    benjamin bente bernard bernd bernhard bertha bettina betty beverly bianca bilal bill billy birgit birgitte birta
    bjarni bjorn blake blanca blaz bob bobby bogdan bohdan bojan boris bostjan boyd bozena bradley bram brandon
    branislav brenda brent bret brian brianna brigitte britt brody brooke bruce bruna bruno bryan caio caitlin calvin
    camila camille carina carl carla carlo carlos carmen carol carolina caroline carsten catalina catarina catherine
    cecilia cecilie celine cesar chad charlene charles charlie charlotte chelsea chen cheryl chiara chidi chinedu
    chloe christa christian christiane christina christine christoffer christophe christopher cindy claire clara clare
    clarence claude claudia claudio clemens clifford cody colin connie connor constance corinna courtney craig
    cristian cristina curtis cynthia daan dagmar dagur daisuke dale dalibor damian damjan dan dana daniel daniela
    daniele danny danuta darcy daria dario darren davi david davorin dawn dean debbie deborah debra deepa deepak delia
    delphine denise dennis derek desmond detlef devin diana diane diego dieter dilan dimitri dirk divya dmitri dmitry
    dolores dominic dominik dominika donald donna dora doris dorothea dorothy douglas duane duc dusan dustin dylan
    earl ebony eddie edgar edith eduardo edward edwin egon eileen einar eino ekaterina elaine eleanor elena eleonora
    elias elif elin elisa elisabet elisabeth elisabetta elise elizabeth ella ellen ellie elodie elsa elvira emanuel
    emeka emil emilia emilie emilio emily emma emmanuel emre enrico enrique enzo eric erica erik erika erin ernest
    ernesto erwin esben esteban esther ethan ethel eugene eugenia eugenio eva evan evelina evelyn evgeny fabian fabien
    fabio fabrizio farid farida fatih fatima fatimah fatma federica federico felipe felix femke ferdinand fernanda
    fernando finn fiona fleur flora florence florian floyd frances francesca francine francis francisco francois frank
    frantisek franz franziska fred freddie frederic frederick frederik freja frida friedrich fritz gabriel gabriela
    gabriele gabriella gaelle gail galina gary gaurav gavin genevieve geoffrey georg george georges georgia gerald
    geraldine gerard gerda gerhard gerrit gertrude gianluca gilbert gina giovanni gisela gitte giulia giuseppe gladys
    glen glenn gloria gokhan goran gordon grace graham greg gregoire gregor gregory greta grzegorz guadalupe gudmundur
    gudrun guido guillaume guillermo gunnar gunther gustav gustavo guy gwendolyn habib hakan halina halldor hamish
    hamza hana hanna hannah hanne hanneke hannes hans harald harold harriet harrison harry haruka haruto harvey hasan
    hassan hatice hayley heather hector hedwig heidi heike heinrich heinz helen helena helene helga helgi helle
    hendrik henk henri henriette henrik henry herbert herman hermann hideo hilda hilde hildegard hiroko hiroshi hoa
    holger holly horst howard hubert huda hugh hugo hui hulya hung huong hussein ian ibrahim ida ifeoma ignacio igor
    ilona ilse imogen imre ines inga inge ingeborg inger ingo ingrid ioana ioannis irena irene irina iris irma iryna
    isaac isabel isabella isabelle ismael ismail istvan ivan ivana ivar iveta jaakko jaap jack jackson jacob
    jacqueline jai jake jakob jakub jamal james jamie jamila jan jana jane janet janez janice janina jari jarmila
    jaroslav jaroslava jarrod jasmin jasmine jason jasper javier jay jayden jean jeanette jeanne jeff jeffrey jelena
    jenna jennie jennifer jenny jens jeremy jernej jeroen jerome jerry jerzy jesper jesse jessica jesus jill jim jimmy
    jing jiri joachim joakim joan joana joanna joanne joao joaquin jochen jody joe joel johan johann johanna johanne
    johannes john johnny jolanta jon jonas jonathan jonina jonna joost jorg jorge jorgen joris jose josef josefa
    josefina joseph josephine joshua josip joyce joze jozef juan juana judith judy juergen juha juhani julia julian
    juliana juliane julie julien juliette julio julius juliusz jun jurgen jurij jussi justin jutta kaarel kadri kai
    kaisa kaja kalev kamil kamila kane kara kareem karel karen karim karin karina karl karla karolina karoline karsten
    kaspar kasper katarina katarzyna kate katerina katharina katherine kathleen kathryn kathy katie katja katrin
    katrine kaua kavita kay kayla kazuo keely kees keiko keith kelly kemal ken kenji kenneth kent kenta kersti kerstin
    kevin khadija khaled kim kiran kirsi kirsten kirstine kjell klara klaus klemen knud kobe koen kofi konrad
    konstantin krishna krista kristian kristiina kristin kristina kristine kristjan kristoffer krystyna krzysztof
    ksenia kurt kwame kyan kyle lachlan laila lakshmi lan lana lara larisa larissa larry lars lasse laura lauren
    laurent lauri lawrence layla leah lee leena lei leif leila lena lene leo leon leonard leonardo leonie leonor
    leopold leroy leslie leticia leyla li liam lidia lieke liis lillian lily lina linda ling linh linus lisa lisbeth
    lise lloyd logan loic lone lorena lorenzo loretta lori lorraine lothar lotte louis louise lovro luc luca lucas
    lucia luciana luciano lucie lucy ludmila ludovic ludvik ludwig luigi luis luisa luise luka lukas lukasz luke luna
    luuk lydia lynn lyudmila maaike maarja maarten mackenzie maddison madis mads magda magdalena magnus mahmoud mait
    maja makoto malene malgorzata malik malin mandy manfred manish manoj manon manuel manuela marc marcel marcela
    marcelo marcia marcin marco marcus marek margaret margaretha margarida margarita margit margot margrethe margus
    mari maria mariam marian mariana mariann marianne mariano marie marieke marija marijke marika marilyn marina mario
    marion marjan marjeta marjorie mark marketa marko markus marlene marsha marta marten martha martin martina martine
    marvin mary maryam masao massimo matej mateja mateo mateusz matheus mathias mathieu mathilde matias matilda matteo
    matthew matthias matti maureen maurice mauricio mauro max maxence maxim maxime mayumi meena megan mehmet mei
    melanie melinda melissa melvin mercedes merve mette mia michael michaela michal michel michele michelle miguel
    miha mihkel mika mikael mikayla mikhail mikkel mila milada milan mildred milena milos ming minh mira miriam
    miroslav miroslava mitchell mitja miyuki mogens mohamad mohamed mohammad mohammed mohan moira mona monica monika
    monique morten mostafa muhammad murat muriel murilo mustafa myrna nabil nadezhda nadia nadine nadir nancy naoki
    naomi natalia natalie nataliya natasa natasha nate nathalie nathan nathaniel neha neil nejc nele nelson ngozi
    nguyen nicholas nicolas nicole niels nigel nika niko nikola nikolai nikolaj nikolay nils nina nino nisha nitin
    nives noah noemie nomsa nora norbert norma norman nour nuno nynke oddvar oksana olafur olav olavi ole oleg
    oleksandr oleksiy olesya olga oliver olivia olivier olli oluwaseun omar osama oscar oskar osman otavio otto owen
    ozlem pablo paige paivi palle pamela paola paolo pascal patricia patricio patrick paul paula paulina pauline paulo
    pavel pavla pawel pedro peggy pekka penelope per percy pernille perry pete peter petr petra philip philippa
    philippe phillip phyllis pia piero pierre pieter pietro pilar ping piotr polina polona pooja poul pradeep prakash
    preben preeti primoz priya qiang quentin rachel rafael rafaela rafal raffaele ragnar ragnheidur rahul raimund
    rainer raivo raj rajesh rakesh ralf ralph ramesh ramon ramona randall randy rani rania rashid raul ravi raymond
    rebecca rebecka reem regina regine reidar reijo rein reiner reinhard remi renata renate rene reuben rhonda rhys
    ricardo richard rick ricky riina rik rikke riley rita ritu robert roberta roberto robin rocio rodney rodrigo roger
    rohan rohit rok roland rolf romain roman romana ron ronald ronnie roos rosa rosario rosemarie rosemary rosie
    roxanne roy ruben rudolf rudolph rui rune rupert ruslan russell ruth ruud ryan saad sabina sabine sabrina sachin
    saga sakura salem sally salma salvador salvatore sam samantha samara sami samir samira samuel sana sander sandra
    sanja sanjay sanna sanne santiago santosh sara sarah sascha sasha saskia satoshi scott sean sebastian sebastien
    sebastjan selin seppo sergei sergey sergio serkan severine shane shannon sharon shawn sheila shelly sherry shilpa
    shinji shirley shreya sibel sibylle sidney siegfried sienna sigrid sigridur sigurdur siiri silke silvia silvio
    simon simona simone sipho siri sirje sjoerd slavko slawomir sneha sofia sofie sofieke solene solveig sonal sonia
    sonja sophia sophie soren spela stacy stanislav stanislaw stanley steen stefan stefania stefano stein steinunn
    stella sten stephane stephanie stephen steve steven stig stijn stina stuart sue sunil suresh susan susanne suzanne
    svava sven svend svetlana swati sylvia sylvie szymon tadej tadeusz tahlia takashi takeshi tamara tammy tanja tanya
    tao taras tariq tarmo tatiana tatyana taylah tea teagan ted teemu terence teresa terje terry tess thabo thea theo
    theodor theodore theophile theresa therese thi thiago thibault thierry thijs thomas thorsten thorunn tiago tibor
    tiffany tiina tiit tilen tim timo timothy tina tine tjasa tjeerd tobias toby todd tom tomas tomasz tomaz tomoko
    tone toni tony toomas tor torben tord tore torsten tove tracy travis trevor triin trine troels troy tuan tuomas
    tuula tyler tyson ulf ulla ulo ulrich ulrika ulrike urmas uros urska ursula urszula ute uwe vaclav valentin
    valentina valeria valerie vanessa vasily vaughn veijo veiko vera verena veronica vesna vicente vicki vicky victor
    victoria vid vida viggo vijay vikas vikram viktor viktoria vilhelm ville vilma vincent vinicius vinod vinzenz
    viola violet violeta virginia virginie vit vito vitor vittoria vladimir vladislav vlasta vojtech volker volodymyr
    waldemar walid walter waltraud wanda wang wayne wei wen wenche wendy werner wesley wieslaw wilfried wilhelm willem
    willi william willie wilma wim winfried wladyslaw wojciech wolfgang wouter xavier xia xiao xin yan yana yannick
    yasmin yasser yilmaz ying yoko yolanda yong yoshiko youssef yuki yulia yun yury yusuf yves yvette yvonne zac
    zachary zahra zainab zala zan zanele zbigniew zdenek zdenka zeynep zhang ziga zoe zofia zoltan zora
    zuzana""".split()
)
