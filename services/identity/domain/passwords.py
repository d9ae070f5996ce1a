"""What makes a password too weak to take."""

from itertools import pairwise
from typing import Final

from services.identity.domain.refusals import Refused

SHORTEST: Final = 8
LONGEST: Final = 200
_FEWEST_DIFFERENT: Final = 4

# The most used passwords of eight characters and more, ours and our users' language area's.
_MOST_USED: Final = """
    12345678 123456789 1234567890 12345678910 0123456789 87654321 987654321 123123123 112233445566 11223344
    88888888 66666666 00000000 11111111 147258369 123654789 1q2w3e4r 1q2w3e4r5t 1qaz2wsx q1w2e3r4 qwertyuiop
    qwerty123 qwerty12 qwertyui asdfghjkl asdfasdf zxcvbnm1 zxcvbnm123 qazwsxedc 1qazxsw2 password password1
    password12 password123 password1234 passw0rd p@ssw0rd p@ssword pa55word welcome1 welcome123 letmein1
    iloveyou iloveyou1 iloveyou520 sunshine sunshine1 princess princess1 football football1 baseball baseball1
    superman superman1 trustno1 dragon123 monkey123 shadow123 master123 admin123 admin1234 admin888 admin@123
    administrator root1234 test1234 testtest changeme changeme1 default1 computer internet starwars michelle
    abcd1234 abc12345 abc123456 abcdefgh abcdefg1 a1234567 a12345678 a123456789 aa123456 aa12345678 aaa123456
    asd123456 qq123456 qq123456789 qwe123456 zxc123456 wang1234 woaini1314 woaini520 woaini123 5201314520
    5201314a 1314520a woaiwojia woaiwodejia nihao123 zhang123 wodemima wodemima123 foothold foothold1 foothold123
"""
_COMMON: Final = frozenset(_MOST_USED.split())


def require_strong(password: str, *, login: str = "", field: str = "password") -> None:
    """Refuse (PASSWORD_WEAK) a password that is short, common, or made of the sign-in name."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise Refused("PASSWORD_WEAK", f"must be {SHORTEST} to {LONGEST} characters", field=field)
    plain = password.casefold()
    if plain in _COMMON or len(set(plain)) < _FEWEST_DIFFERENT or _is_a_run(plain):
        raise Refused("PASSWORD_WEAK", "is one of the first that would be tried", field=field)
    if login and login.casefold() in plain and len(plain) - len(login) < _FEWEST_DIFFERENT:
        raise Refused("PASSWORD_WEAK", "must not be the sign-in name", field=field)


def _is_a_run(text: str) -> bool:
    steps = {ord(after) - ord(before) for before, after in pairwise(text)}
    return len(steps) == 1
