"""The same with requests-oauthlib, which implements OAuth but not OpenID Connect, so it reads the userinfo endpoint."""
import json
import sys

import requests
from requests_oauthlib import OAuth2Session

issuer, client_id, client_secret, redirect_uri = sys.argv[1:5]
about = requests.get(f"{issuer}/.well-known/openid-configuration", timeout=10).json()
session = OAuth2Session(
    client_id, redirect_uri=redirect_uri, scope=["openid", "profile", "email", "offline_access"]
)
address, _ = session.authorization_url(about["authorization_endpoint"])
print(address, flush=True)

answer = sys.stdin.readline().strip()
token = session.fetch_token(
    about["token_endpoint"], authorization_response=answer, client_secret=client_secret
)
told = session.get(about["userinfo_endpoint"]).json()
renewed = session.refresh_token(about["token_endpoint"], auth=(client_id, client_secret))
told_again = session.get(about["userinfo_endpoint"]).json()
requests.post(
    about["revocation_endpoint"],
    data={"token": renewed["refresh_token"]},
    auth=(client_id, client_secret),
    timeout=10,
).raise_for_status()
print(
    json.dumps(
        {
            "subjects": [told["sub"], told_again["sub"]],
            "name": told["name"],
            "email": told["email"],
            "renewed": renewed["access_token"] != token["access_token"],
            "refresh_token": renewed["refresh_token"],
            "logout": f"{about['end_session_endpoint']}?id_token_hint={token['id_token']}",
        }
    ),
    flush=True,
)
