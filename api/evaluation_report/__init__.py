"""The page of `dvsa evaluate retrieval --report`: what the model finds, and what it misses.

`evaluation` is what was measured; `breakdown` and `confusions` take it apart, `prose` says it in words, `charts` and
`gallery` draw it, `page` puts it together.
"""
