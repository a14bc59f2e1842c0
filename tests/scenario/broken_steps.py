"""The good scenario broken in its placeholders, requests or responses; see `scenarios`."""

from tests.builders.scenarios import Broken

PLACEHOLDERS = {
    "misspelt": Broken(
        "/products/{product}\n",
        "/products/{prodct}\n",
        "17:14 flows[0].steps[1].get: unknown placeholder 'prodct'; did you mean 'product'?",
        schema=False,
    ),
    "unknown": Broken(
        "q={term}",
        "q={zzz}",
        "28:14 flows[1].steps[0].get: unknown placeholder 'zzz'; "
        "write one of account, page, product, qty, term, token",
        schema=False,
    ),
    "no name": Broken(
        "q={term}",
        "q={a b}",
        "28:14 flows[1].steps[0].get: '{a b}' is not a placeholder; write {name}, or {{ and }} for braces",
        schema=False,
    ),
    "lone brace": Broken(
        "body: results",
        'body: "{"',
        "29:44 flows[1].steps[0].expect.body: '{' is not a placeholder; "
        "write {name}, or {{ and }} for braces",
        schema=False,
    ),
    "before its capture": Broken(
        "page={page}",
        "page={sku}",
        "16:14 flows[0].steps[0].get: {sku} is captured only on line 17, by a later step; "
        "use it in a step after that one",
        schema=False,
    ),
    "in the capturing step": Broken(
        '$.id: "{product}"',
        '$.id: "{sku}"',
        "19:86 flows[0].steps[1].expect.json.$.id: {sku} is captured only by this step itself; "
        "use it in a step after that one",
        schema=False,
    ),
    "of another flow": Broken(
        "q={term}",
        "q={sku}",
        "28:14 flows[1].steps[0].get: {sku} is captured only in the flow 'browse'; "
        "capture it in this one too",
        schema=False,
    ),
    "capture in a shared header": Broken(
        "Bearer ${API_TOKEN}",
        "Bearer {sku}",
        "8:26 headers.Authorization: {sku} is a capture, unknown in the first step; "
        "write the header in the steps",
        schema=False,
    ),
    "capture of a bare text": Broken(
        "tag: {header: ETag}",
        "tag: $.tag",
        "20:46 flows[0].steps[1].capture.tag: '$.tag' does not name its source; "
        "write {json: $.id} or {header: ETag}",
    ),
    "capture named as a feeder": Broken(
        "tag: {header: ETag}",
        "tag: {header: ETag}, page: {header: ETag}",
        "20:62 flows[0].steps[1].capture: 'page' is also the feeder on line 3; rename the capture",
        schema=False,
    ),
    "row of a csv": Broken(
        "{account.email}",
        "{account}",
        "31:22 flows[1].steps[1].form.user: {account} is a row; "
        "write one of its values, such as {account.email}",
        schema=False,
    ),
    "unknown column": Broken(
        "{account.email}",
        "{account.mail}",
        "31:22 flows[1].steps[1].form.user: unknown column of account 'mail'; did you mean 'email'?",
        schema=False,
    ),
    "column of a number": Broken(
        "page={page}",
        "page={page.x}",
        "16:14 flows[0].steps[0].get: page has no columns; write {page}",
        schema=False,
    ),
}

REQUESTS = {
    "variable missing": Broken(
        "${API_TOKEN}",
        "${API_TOKN}",
        "8:26 headers.Authorization: the environment variable API_TOKN is not set; "
        "set it, or write ${file:/path}",
        schema=False,
    ),
    "variable empty": Broken(
        "${API_TOKEN}",
        "${EMPTY}",
        "8:26 headers.Authorization: the environment variable EMPTY is not set; "
        "set it, or write ${file:/path}",
        schema=False,
    ),
    "variable with a line break": Broken(
        "${API_TOKEN}",
        "${BROKEN}",
        "8:26 headers.Authorization: the environment variable BROKEN holds a line break "
        "or control character; write one line of text",
        schema=False,
    ),
    "variable without name": Broken(
        "${API_TOKEN}",
        "${API-TOKEN}",
        "8:26 headers.Authorization: '${API-TOKEN}' is not a variable; write ${NAME}, or ${file:/path}",
        schema=False,
    ),
    "secret file missing": Broken(
        "${API_TOKEN}",
        "${file:none}",
        "8:26 headers.Authorization: the file 'none' cannot be read: No such file or directory; "
        "name one that can",
        schema=False,
    ),
    "secret file of two lines": Broken(
        "${API_TOKEN}",
        "${file:lines}",
        "8:26 headers.Authorization: the file 'lines' holds a line break or control character; "
        "write one line of text",
        schema=False,
    ),
    "secret file blank": Broken(
        "${API_TOKEN}",
        "${file:blank}",
        "8:26 headers.Authorization: the file 'blank' is empty or over 65536 bytes; write the value into it",
        schema=False,
    ),
    "absolute address": Broken(
        "get: /search?q={term}",
        "get: http://example.org/",
        "28:14 flows[1].steps[0].get: 'http://example.org/' names a host; "
        "write the path alone, the host is that of target.url",
    ),
    "address without scheme": Broken(
        "get: /search?q={term}",
        "get: //example.org/",
        "28:14 flows[1].steps[0].get: '//example.org/' names a host; "
        "write the path alone, the host is that of target.url",
    ),
    "relative path": Broken(
        "get: /search?q={term}",
        "get: search",
        "28:14 flows[1].steps[0].get: 'search' does not begin with /; write a path such as /items?page=1",
    ),
    "fragment": Broken(
        "get: /search?q={term}",
        'get: "/search#top"',
        "28:14 flows[1].steps[0].get: '/search#top' has a fragment, which is never sent; "
        "remove # and what follows",
    ),
    "header of the client": Broken(
        "If-Match:",
        "content-length:",
        "23:19 flows[0].steps[2].headers: the header content-length is set by the client; remove it",
    ),
    "host header": Broken(
        "Authorization:", "Host:", "8:11 headers: the header Host is set by the client; remove it"
    ),
    "header name": Broken(
        "If-Match:",
        '"If Match":',
        "23:19 flows[0].steps[2].headers: 'If Match' is not a header name; write letters, digits and hyphens",
    ),
    "header twice": Broken(
        'If-Match: "{tag}"',
        'If-Match: "{tag}", if-match: x',
        "23:38 flows[0].steps[2].headers: the header if-match is already written as If-Match; "
        "keep one of them",
        schema=False,
    ),
    "cookie header and kept cookies": Broken(
        "Authorization:",
        "Cookie:",
        "8:19 headers.Cookie: cannot be combined with cookies: true, "
        "which sends this header; remove one of the two",
        schema=False,
    ),
    "name of another method": Broken(
        "name: GET /products/{id}",
        "name: POST /products/{id}",
        "18:15 flows[0].steps[1].name: 'POST /products/{id}' is named after a different method; "
        "write GET /products/{id}",
        schema=False,
    ),
    "name without method": Broken(
        "name: GET /products/{id}",
        "name: /products/{id}",
        "18:15 flows[0].steps[1].name: '/products/{id}' does not begin with the step's method; "
        "write one such as GET /items/{id}",
    ),
}

RESPONSES = {
    "body of a HEAD": Broken(
        "get: /search?q={term}",
        "head: /search?q={term}",
        "28:9 flows[1].steps[0]: expects a body, and a response to HEAD has none; write get",
        schema=False,
    ),
    "status": Broken(
        "status: 200",
        "status: 99",
        "19:26 flows[0].steps[1].expect.status: '99' is not a status; "
        "write one such as 200, 2xx or [200, 404]",
    ),
    "no status": Broken(
        "[200, 404]",
        "[]",
        "29:26 flows[1].steps[0].expect.status: is an empty list; "
        "write at least one status, or remove the key",
    ),
    "json path": Broken(
        "$.id:",
        "id:",
        "19:80 flows[0].steps[1].expect.json: 'id' is not a JSON path; "
        "write one such as $.items[0].id or $['unit price']",
    ),
    "captured json path": Broken(
        '"$.sku"',
        '"$..sku"',
        "20:31 flows[0].steps[1].capture.sku.json: '$..sku' is not a JSON path; "
        "write one such as $.items[0].id or $['unit price']",
    ),
    "capture without source": Broken(
        "{header: ETag}",
        "{}",
        "20:46 flows[0].steps[1].capture.tag: does not have exactly one source; "
        "write {json: $.id} or {header: ETag}",
    ),
    "capture name": Broken(
        "tag: {header: ETag}",
        "tag: {header: ETag}, a-b: {header: ETag}",
        "20:62 flows[0].steps[1].capture: 'a-b' is not a capture name; write one such as sku",
    ),
    "captured header name": Broken(
        "header: ETag",
        "header: E Tag",
        "20:55 flows[0].steps[1].capture.tag.header: 'E Tag' is not a header name; "
        "write letters, digits and hyphens",
    ),
    "size without comparison": Broken(
        '"< 10 kB"',
        "10 kB",
        "29:59 flows[1].steps[0].expect.size: '10 kB' is not a size limit; "
        'write one such as "< 10 kB" or ">= 1 B"',
    ),
    "size in unknown units": Broken(
        '"< 10 kB"',
        '"< 10 kb"',
        "29:59 flows[1].steps[0].expect.size: '< 10 kb' is not a size limit; "
        'write one such as "< 10 kB" or ">= 1 B"',
    ),
    "size of half a byte": Broken(
        '"< 10 kB"',
        '"< 0.5 B"',
        "29:59 flows[1].steps[0].expect.size: '< 0.5 B' is not a whole number of bytes; "
        "write one such as < 10 kB",
        schema=False,
    ),
}
