"""An application that signs in with Authlib: prints the authorization URL, reads the redirect, prints what it learned."""
import json
import sys

import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.jose import JsonWebKey, JsonWebToken
from authlib.oidc.core import CodeIDToken

issuer, client_id, client_secret, redirect_uri = sys.argv[1:5]
about = requests.get(f"{issuer}/.well-known/openid-configuration", timeout=10).json()
verifier, nonce = generate_token(48), generate_token()
session = OAuth2Session(
    client_id,
    client_secret,
    scope="openid profile email offline_access",
    redirect_uri=redirect_uri,
    code_challenge_method="S256",
)
address, state = session.create_authorization_url(
    about["authorization_endpoint"], code_verifier=verifier, nonce=nonce
)
print(address, flush=True)

answer = sys.stdin.readline().strip()
token = session.fetch_token(
    about["token_endpoint"], authorization_response=answer, code_verifier=verifier, state=state
)


def verified(id_token, nonce=None):
    keys = JsonWebKey.import_key_set(requests.get(about["jwks_uri"], timeout=10).json())
    claims = JsonWebToken(["RS256"]).decode(
        id_token,
        keys,
        claims_cls=CodeIDToken,
        claims_options={
            "iss": {"essential": True, "value": issuer},
            "aud": {"essential": True, "value": client_id},
        },
        claims_params={"nonce": nonce, "client_id": client_id},
    )
    claims.validate(leeway=10)
    return claims


def userinfo():
    return session.get(about["userinfo_endpoint"]).json()


first = verified(token["id_token"], nonce)
told = userinfo()
renewed = session.refresh_token(about["token_endpoint"], refresh_token=token["refresh_token"])
again = verified(renewed["id_token"])
told_again = userinfo()
session.revoke_token(
    about["revocation_endpoint"], token=renewed["refresh_token"], token_type_hint="refresh_token"
)
print(
    json.dumps(
        {
            "subjects": [first["sub"], told["sub"], again["sub"], told_again["sub"]],
            "name": first["name"],
            "email": told["email"],
            "renewed": renewed["access_token"] != token["access_token"],
            "refresh_token": renewed["refresh_token"],
            "logout": f"{about['end_session_endpoint']}?id_token_hint={token['id_token']}",
        }
    ),
    flush=True,
)
