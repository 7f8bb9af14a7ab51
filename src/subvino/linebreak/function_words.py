"""Small words by language: what leans on the next word, and before what a line may break."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class FunctionWords:
    """A language's small words, lower case, that decide where a line may break.

    determiners: articles, possessives, demonstratives, small numbers.
    links: words that tie a noun to the one before ("of", German "des").
    clitics: words that lean on the word before (Russian particles, French "pas").
    titles: before a name.
    adjective_endings: that few other words have; an adjective leans on its noun.
    nouns_capitalised: so two capitals in a row may be no name.
    inverts: the subject may follow its verb ("gestern kam | sie"), and stays with it.
    """

    determiners: frozenset[str]
    prepositions: frozenset[str]
    links: frozenset[str]
    conjunctions: frozenset[str]
    pronouns: frozenset[str]
    auxiliaries: frozenset[str]
    clitics: frozenset[str] = frozenset()
    titles: frozenset[str] = frozenset()
    adjective_endings: tuple[str, ...] = ()
    nouns_capitalised: bool = False
    inverts: bool = False


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_NONE = _set("")
_NO_WORDS = FunctionWords(_NONE, _NONE, _NONE, _NONE, _NONE, _NONE)

FUNCTION_WORDS = MappingProxyType(
    {
        "en": FunctionWords(
            determiners=_set(
                "a an the my your his her its our their this these those every each some any no "
                "another whose which what very too so such more most "
                "two three four five six seven eight nine ten eleven twelve thirteen fourteen "
                "fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty hundred "
                "thousand million"
            ),
            prepositions=_set(
                "about above across after against along among around as at before behind below "
                "beneath beside between beyond by despite down during except for from in inside "
                "into like near off on onto out outside over past per since than through to toward "
                "towards under underneath until up upon via with within without"
            ),
            links=_set("of"),
            conjunctions=_set(
                "and or but nor because although though if unless while when where whereas "
                "whether that who whom whose which what how why"
            ),
            pronouns=_set("i you he she it we they there who i'm you're we're they're it's"),
            auxiliaries=_set(
                "am is are was were be been being have has had do does did will would shall should "
                "can could may might must not don't doesn't didn't won't can't isn't wasn't aren't "
                "couldn't wouldn't shouldn't haven't hasn't hadn't cannot never going"
            ),
            titles=_set("mr mrs ms miss mister dr doctor prof professor sir lady lord captain st"),
            adjective_endings=("ous", "ful", "ive", "able", "ible", "ical", "less", "ish"),
        ),
        "fr": FunctionWords(
            determiners=_set(
                "le la les un une des du mon ma mes ton ta tes son sa ses notre nos votre vos leur "
                "leurs ce cet cette ces chaque quelque quelques aucun aucune quel quelle quels "
                "quelles plusieurs très trop si plus deux trois quatre cinq six sept huit neuf dix "
                "vingt cent mille"
            ),
            prepositions=_set(
                "à au aux en dans par pour sur sous avec sans vers chez entre depuis pendant "
                "avant après contre dès selon malgré parmi jusque jusqu'à jusqu'au derrière devant "
                "comme"
            ),
            links=_set("de d'un d'une"),
            conjunctions=_set(
                "et ou mais donc or ni car que qui dont où quand lorsque puisque si comme parce"
            ),
            pronouns=_set(
                "je tu il elle on nous vous ils elles me te se lui y ça c'est j'ai qu'il qu'elle "
                "qu'on qu'ils ne"
            ),
            auxiliaries=_set(
                "suis es est sommes êtes sont étais était étaient serai sera seront ai as a avons "
                "avez ont avais avait avaient aurai aura auront peut peux doit dois va vais vont "
                "n'est n'a n'ai"
            ),
            clitics=_set("pas plus jamais rien"),
            titles=_set("m mme mlle monsieur madame mademoiselle docteur dr saint sainte"),
        ),
        "de": FunctionWords(
            determiners=_set(
                "der die das den dem des ein eine einen einem einer eines kein keine keinen keinem "
                "keiner mein meine meinen meinem meiner dein deine deinen sein seine seinen seinem "
                "seiner ihr ihre ihren ihrem ihrer unser unsere unseren unserem unserer euer eure "
                "dieser diese dieses diesen diesem jeder jede jedes jeden jedem welche welcher "
                "welches alle allen sehr so zu zwei drei vier fünf sechs sieben acht neun zehn "
                "zwölf zwanzig hundert tausend"
            ),
            prepositions=_set(
                "an am ans auf aufs aus bei beim bis durch für gegen hinter in im ins mit nach "
                "neben ohne seit trotz über um unter vom von vor während wegen zwischen zum zur ab "
                "außer als wie"
            ),
            links=_set("von vom der des"),
            conjunctions=_set(
                "und oder aber denn sondern dass daß weil wenn ob obwohl damit nachdem bevor "
                "während da wo wer was"
            ),
            pronouns=_set("ich du er sie es wir man mich dich sich mir dir ihm uns euch"),
            auxiliaries=_set(
                "bin bist ist sind seid war waren habe hast hat haben hatte hatten werde wirst "
                "wird werden wurde wurden würde kann können muss müssen soll sollen will wollen "
                "darf nicht"
            ),
            titles=_set("herr herrn frau dr doktor prof professor sankt st"),
            adjective_endings=("er", "es", "em"),
            nouns_capitalised=True,
            inverts=True,
        ),
        "es": FunctionWords(
            determiners=_set(
                "el la los las un una unos unas mi mis tu tus su sus nuestro nuestra nuestros "
                "nuestras este esta estos estas ese esa esos esas aquel aquella cada algún alguna "
                "ningún ninguna muy tan más lo dos tres cuatro cinco seis siete ocho nueve diez "
                "veinte cien mil"
            ),
            prepositions=_set(
                "a al ante bajo con contra desde durante en entre hacia hasta para por según sin "
                "sobre tras como"
            ),
            links=_set("de del"),
            conjunctions=_set("y e o u pero sino ni que porque pues si cuando donde quien aunque"),
            pronouns=_set("yo tú él ella nosotros ellos ellas usted ustedes me te se le les nos"),
            auxiliaries=_set(
                "soy eres es somos son era eran fue fueron ha he has han había habían hay está "
                "están estoy estaba puede pueden debe deben voy va van no"
            ),
            titles=_set("señor señora señorita sr sra don doña dr doctor san santa d"),
        ),
        "it": FunctionWords(
            determiners=_set(
                "il lo la i gli le un uno una mio mia miei mie tuo tua suo sua suoi sue nostro "
                "nostra vostro vostra loro questo questa questi queste quello quella quel ogni "
                "qualche nessun nessuna molto così più due tre quattro cinque sei sette otto nove "
                "dieci venti cento mille"
            ),
            prepositions=_set(
                "a al allo alla ai agli alle da dal dallo dalla dai dagli dalle in nel nello nella "
                "nei negli nelle con su sul sullo sulla sui sugli sulle per tra fra sotto sopra "
                "senza verso dopo prima durante contro come"
            ),
            links=_set("di del dello della dei degli delle"),
            conjunctions=_set("e ed o od ma né che perché se quando dove mentre anche però quindi"),
            pronouns=_set("io tu lui lei noi voi essi mi ti si ci vi lo ne gli cui chi"),
            auxiliaries=_set(
                "sono sei è siamo siete era erano fu ho hai ha abbiamo avete hanno aveva avevano "
                "può possono deve devono sta stanno non"
            ),
            titles=_set("signor signora signorina sig dott dottor dottoressa san santa"),
        ),
        "pt": FunctionWords(
            determiners=_set(
                "o a os as um uma uns umas meu minha meus minhas teu tua seu sua seus suas nosso "
                "nossa este esta estes estas esse essa esses essas aquele aquela cada algum alguma "
                "nenhum nenhuma muito tão mais dois duas três quatro cinco seis sete oito nove dez "
                "vinte cem mil"
            ),
            prepositions=_set(
                "ao aos à às até com contra desde em no na nos nas num numa entre para pra pelo "
                "pela pelos pelas por sem sob sobre após como"
            ),
            links=_set("de do da dos das"),
            conjunctions=_set("e ou mas nem que porque pois se quando onde quem embora"),
            pronouns=_set("eu tu ele ela nós vós eles elas você vocês me te se lhe lhes"),
            auxiliaries=_set(
                "sou é somos são era eram foi foram tem têm tenho tinha tinham está estão estava "
                "pode podem deve devem vou vai vão há não"
            ),
            titles=_set("senhor senhora sr sra dom dona doutor doutora dr dra são santa"),
        ),
        "nl": FunctionWords(
            determiners=_set(
                "de het een mijn jouw je zijn haar ons onze jullie hun uw deze dit die dat elke "
                "elk ieder iedere geen welke heel zeer te zo twee drie vier vijf zes zeven acht "
                "negen tien twintig honderd duizend"
            ),
            prepositions=_set(
                "aan achter bij binnen boven door in langs met na naar naast om onder op over per "
                "rond sinds tegen tot tussen uit vanaf voor zonder als dan"
            ),
            links=_set("van"),
            conjunctions=_set(
                "en of maar want omdat dat als toen terwijl hoewel zodat wanneer waar wie wat"
            ),
            pronouns=_set("ik jij je hij zij ze wij we het er u men me hem haar"),
            auxiliaries=_set(
                "ben bent is zijn was waren heb hebt heeft hebben had hadden zal zullen zou zouden "
                "kan kunnen moet moeten mag mogen wil willen word wordt worden werd niet"
            ),
            titles=_set("meneer mevrouw dhr mevr mr dr prof sint"),
            inverts=True,
        ),
        "ru": FunctionWords(
            determiners=_set(
                "мой моя моё мои твой твоя твои наш наша наше наши ваш ваша ваше ваши свой своя "
                "своё свои этот эта это эти тот та те каждый каждая очень самый самая самое самые "
                "два две три четыре пять шесть семь восемь девять десять сто тысяча"
            ),
            prepositions=_set(
                "в во на с со к ко у о об обо от ото до из изо за под подо над по при про для без "
                "безо через перед передо между около после среди ради против кроме из-за из-под"
            ),
            links=_NONE,
            conjunctions=_set(
                "и а но или да что чтобы если когда потому как где куда хотя который которая "
                "которое которые пока будто"
            ),
            pronouns=_set("я ты он она оно мы вы они"),
            auxiliaries=_set("не ни был была было были будет будут буду может могут"),
            clitics=_set("бы б ли ль же ж"),
            titles=_set("господин госпожа г-н г-жа доктор св"),
            adjective_endings=("ый", "ая", "ое", "ые", "ого", "ому", "ую", "ых", "ыми"),
        ),
    }
)
"""Function words by language code. To add a language: one row, and its cases in the tests."""


def words_of(language: str) -> FunctionWords:
    """A language's function words; none where it has no row."""
    return FUNCTION_WORDS.get(language, _NO_WORDS)
