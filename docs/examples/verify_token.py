#!/usr/bin/env python3
"""Verifies access tokens of hero_proxy (RFC 9068) by its public keys: no call for each request, and no secret.

Debian has what it needs: apt-get install python3-authlib

    verify_token.py ISSUER AUDIENCE [SCOPE] < tokens

ISSUER is the public_url of hero_proxy, AUDIENCE whom the tokens must be for: the same, unless the program named a resource.
"""
import json
import re
import sys
import time
from urllib.request import urlopen

from authlib.jose import JsonWebKey, JsonWebToken
from authlib.jose.errors import JoseError

# Seconds that fetched keys count: one that leaked must not be trusted for good.
KEEP = 600
# Seconds between two fetches for a key that is not known: strangers cannot make us ask more often.
AGAIN = 10
# Seconds that two clocks may differ.
LEEWAY = 30
# Each may do what those before it may.
SCOPES = ["read", "write", "admin"]


class Refused(Exception):
    """The token is not valid here; answer 401, or 403 for its scope."""


class TokenVerifier:
    def __init__(self, issuer, audience):
        # The algorithm is ours to say, never the token's.
        self.jwt = JsonWebToken(["EdDSA"])
        self.expected = {
            "iss": {"essential": True, "value": issuer},
            "aud": {"essential": True, "value": audience},
            **{name: {"essential": True} for name in ("sub", "exp", "iat", "client_id")},
        }
        self.url = f"{issuer}/.well-known/jwks.json"
        self.keys = {}
        self.fetched = None

    def key(self, header, _payload):
        kid = header.get("kid")
        age = KEEP if self.fetched is None else time.monotonic() - self.fetched
        if age >= KEEP or (kid not in self.keys and age >= AGAIN):
            with urlopen(self.url, timeout=10) as answer:
                found = json.load(answer)["keys"]
            self.keys = {jwk["kid"]: JsonWebKey.import_key(jwk) for jwk in found if jwk["alg"] == "EdDSA"}
            self.fetched = time.monotonic()
        if kid not in self.keys:
            raise Refused("signed by nobody we know")
        return self.keys[kid]

    def verify(self, token, scope=None):
        """The claims of a valid token. Raises Refused, and OSError when the keys cannot be had."""
        if not re.fullmatch(r"(?:[\w-]+\.){2}[\w-]+", token, re.ASCII):
            raise Refused("not a signed token")
        try:
            claims = self.jwt.decode(token, self.key, claims_options=self.expected)
            claims.validate(leeway=LEEWAY)
            # ID tokens and assertions are signed by us too, and are no access tokens.
            if claims.header.get("typ") != "at+jwt" or "crit" in claims.header:
                raise Refused("not an access token")
            if claims["iat"] > time.time() + LEEWAY:
                raise Refused("of the future")
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise Refused(str(error)) from error
        granted = claims.get("scope", "").split()
        if scope is not None and not set(granted) & set(SCOPES[SCOPES.index(scope) :]):
            raise Refused(f"its scope is {granted}, not {scope}")
        return claims


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4) or sys.argv[3:4] not in ([], *([scope] for scope in SCOPES)):
        sys.exit(__doc__)
    verifier = TokenVerifier(*sys.argv[1:3])
    for line in sys.stdin:
        try:
            print(json.dumps(verifier.verify(line.rstrip("\n"), *sys.argv[3:4])), flush=True)
        except Refused as refusal:
            print(f"refused: {refusal}", flush=True)
