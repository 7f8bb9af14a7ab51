"""Language codes: the ones Whisper uses, and the other spellings of them found in the wild.

Floor 0 of the road. Media containers write ISO 639-2 codes of three letters ("ger" in Matroska,
"deu" in MP4), people write two ("de") or a locale ("de-AT"); Whisper's own are two letters
wherever ISO 639-1 has them.
"""

from __future__ import annotations

_ROWS = """
af=afr am=amh ar=ara as=asm az=aze ba=bak be=bel bg=bul bn=ben bo=bod,tib br=bre bs=bos ca=cat
cs=ces,cze cy=cym,wel da=dan de=deu,ger el=ell,gre en=eng es=spa et=est eu=eus,baq fa=fas,per
fi=fin fo=fao fr=fra,fre gl=glg gu=guj ha=hau haw= he=heb,iw hi=hin hr=hrv,scr ht=hat hu=hun
hy=hye,arm id=ind,in is=isl,ice it=ita ja=jpn jw=jav,jv ka=kat,geo kk=kaz km=khm kn=kan ko=kor
la=lat lb=ltz ln=lin lo=lao lt=lit lv=lav mg=mlg mi=mri,mao mk=mkd,mac ml=mal mn=mon mr=mar
ms=msa,may,zsm mt=mlt my=mya,bur ne=nep nl=nld,dut nn=nno no=nor,nb,nob oc=oci pa=pan pl=pol
ps=pus pt=por ro=ron,rum,mo,mol ru=rus sa=san sd=snd si=sin sk=slk,slo sl=slv sn=sna so=som
sq=sqi,alb sr=srp,scc su=sun sv=swe sw=swa ta=tam te=tel tg=tgk th=tha tk=tuk tl=tgl,fil tr=tur
tt=tat uk=ukr ur=urd uz=uzb vi=vie yi=yid,ji yo=yor yue= zh=zho,chi,cmn
"""
"""Whisper's code = the ISO 639-2/T code, then 639-2/B, 639-3 (cmn, zsm) and retired codes
(https://www.loc.gov/standards/iso639-2/php/code_list.php)."""

_CODES = {row.partition("=")[0]: row.partition("=")[2] for row in _ROWS.split()}
_SPELLINGS = {
    spelling: code
    for code, others in _CODES.items()
    for spelling in (code, *others.split(","))
    if spelling
}


def language_code(spelling: str) -> str:
    """Whisper's code for a language however it is written; other codes come back in lower case.

    >>> language_code("ger"), language_code("pt-BR"), language_code("gsw")
    ('de', 'pt', 'gsw')
    """
    primary = spelling.strip().lower().replace("_", "-").partition("-")[0]
    return _SPELLINGS.get(primary, primary)


def iso_639_2(spelling: str) -> str:
    """The code of three letters that media containers write; "und" where there is none.

    >>> iso_639_2("de"), iso_639_2("pt-BR"), iso_639_2("yue"), iso_639_2("")
    ('deu', 'por', 'yue', 'und')
    """
    code = language_code(spelling)
    known = _CODES.get(code, "").partition(",")[0] or code
    return known if len(known) == 3 and known.isascii() and known.isalpha() else "und"


FLAGS = frozenset({"cc", "default", "fixed", "forced", "foreign", "sdh", "synced"})
"""What may follow the language in the name of a subtitle file."""


def language_in_name(name: str) -> str:
    """The language that the name of a subtitle file tells; "" where it tells none.

    >>> language_in_name("talk.ger.forced.srt"), language_in_name("talk.v2.srt")
    ('de', '')
    """
    parts = [part for part in name.split(".")[1:-1] if part.lower() not in FLAGS]
    code = language_code(parts[-1]) if parts else ""
    return code if code in _CODES else ""
