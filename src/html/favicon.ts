/** The icon of our pages with 32 pixels, for browsers that ask for `/favicon.ico`: a PNG in the container of ICO. */
export const favicon = Buffer.from(
  [
    'AAABAAEAICAAAAEAIAAgAgAAFgAAAIlQTkcNChoKAAAADUlIRFIAAAAgAAAAIAgGAAAAc3p69AAAAdVJREFUeJzsls8rBVEUx7/n',
    'zoQXC1mgiGFBZGFpReQfsKAU9TbIllLK4lkrW+VHnpWFNTsRGztFxEZ+hxILPJ6Ze9yR9/yaoXdfmdT71G3O3Dnd+5055545AgEj',
    'EDDmbw6l7eMhzs2rJjj5SAGGcUv3d/unCwOxn/zI74EVns2RHB9VKw0SwYAGzGyrHcaOHwoiWOiIe/n4hoBlfEapG9Ld3IWITAIN',
    'l4Vupn19vCbLu6daIOTy2+2tGiMOyR2ksrmkWrV4vxJR595LEo0n0Z71r36eOcDCaaV3bV1Hc32LSJ3V0vDErsG08iqInVZ1+SbA',
    'OwRMlQnzaK53CZqcWpdrCVu9UJWXj08O8Ie4E0OXSEQmV2TvXAq8DmQEZARkBPz6N/SjsHOqKJTlbLh2LG40XM33XEID7S+QY8pO',
    'VaQsd2SbThs00Q+BkOcJU5XZa2jyf5PQJrGVtA1sQxNtAefRvr0nkhXucG1oon0KXC6i/YdIk0whClzAp6a0ODxhqaSwSCKimskm',
    'd04SNyMNxFtPqNqqVSYetYHDj7mTFFASnqw3mTfxBzwTahInJ3kKGPyIAPAMATuq0BJXMswzUzgxpIEtjRDBLlGhOCAD0jcEQRH4',
    'KXgBAAD//2fhV6YAAAAGSURBVAMAgdaTxzXvfXgAAAAASUVORK5CYII=',
  ].join(''),
  'base64',
)
