"""The good scenario broken in one place each; see `scenarios`."""

from tests.scenario.scenarios import Broken

SHAPES = {
    "unknown key": Broken(
        "cookies: true", "cookie: true", "9:1 unknown key 'cookie'; did you mean 'cookies'?"
    ),
    "unknown key of a step": Broken(
        "        think: 500ms",
        "        thinks: 500ms",
        "25:9 flows[0].steps[2]: unknown key 'thinks'; did you mean 'think'?",
    ),
    "duplicate key": Broken(
        "    weight: 3",
        "    weight: 3\n    weight: 4",
        "15:5 repeats the key 'weight' of line 14; keep one of them",
        schema=False,
    ),
    "empty flow": Broken(
        "  - steps:\n      - get: /search",
        "  - steps: []\n  - steps:\n      - get: /search",
        "27:12 flows[1].steps: is an empty list; write at least one step, such as - get: /",
    ),
    "weight of zero": Broken(
        "weight: 3",
        "weight: 0",
        "14:13 flows[0].weight: '0' is no weight; write a number above 0, at most 1000000",
    ),
    "negative weight": Broken(
        "weight: 3",
        "weight: -1",
        "14:13 flows[0].weight: '-1' is no weight; write a number above 0, at most 1000000",
    ),
    "flow twice": Broken(
        "  - steps:\n      - get: /search",
        "  - name: browse\n    steps:\n      - get: /search",
        "27:5 flows[1]: is called 'browse', as the one on line 13; rename one",
        schema=False,
    ),
    "no method": Broken(
        "      - post: /cart\n        query",
        "      - query",
        "21:9 flows[0].steps[2]: has no method; "
        "write exactly one of get, post, put, patch, delete, head, options",
    ),
    "two methods": Broken(
        "post: /cart",
        "post: /cart\n        get: /cart",
        "21:9 flows[0].steps[2]: has more than one method; "
        "write exactly one of get, post, put, patch, delete, head, options",
    ),
    "two bodies": Broken(
        "        form: {user",
        "        body: x\n        form: {user",
        "30:9 flows[1].steps[1]: has form and body; write one body",
    ),
    "think backwards": Broken(
        "1s..3s",
        "3s..1s",
        "10:8 think: '3s..1s' runs backwards; write the shorter time first, such as 1s..3s",
        schema=False,
    ),
    "think without unit": Broken("1s..3s", "1..3", "10:8 think: '1' has no unit; write 1s or 1ms"),
    "timeout without unit": Broken(
        "timeout: 5s", "timeout: 5", "26:18 flows[0].steps[2].timeout: '5' has no unit; write 5s or 5ms"
    ),
    "placeholder without quotes": Broken(
        '{sku: "{sku}", quantity: "{qty}"}',
        "{sku: x{sku}}",
        "24:22 has a { inside of brackets or braces; put a text with {placeholders} in quotes",
        schema=False,
    ),
    "placeholder read as a mapping": Broken(
        'quantity: "{qty}"',
        "quantity: {qty}",
        "24:44 flows[0].steps[2].json.quantity.qty: has no value; "
        'write null, or a placeholder in quotes: "{name}"',
        schema=False,
    ),
}

FEEDERS = {
    "no source": Broken(
        "token: {uuid: 4}",
        "token: {}",
        "6:10 feeders.token: has no source of values; "
        "write exactly one of zipf, range, list, csv, uuid, random",
    ),
    "two sources": Broken(
        "{uuid: 4}",
        "{uuid: 4, list: [a]}",
        "6:10 feeders.token: has more than one source of values; "
        "write exactly one of zipf, range, list, csv, uuid, random",
    ),
    "name with a hyphen": Broken(
        "token: {uuid: 4}\n",
        "token: {uuid: 4}\n  my-id: {uuid: 4}\n",
        "7:3 feeders: 'my-id' is no name of a feeder; write one such as product",
    ),
    "order of a uuid": Broken(
        "{uuid: 4}",
        "{uuid: 4, order: random}",
        "6:20 feeders.token: order does not go with uuid; remove it",
    ),
    "unknown order": Broken(
        "order: sequential",
        "order: shuffled",
        "5:39 feeders.account.order: unknown order 'shuffled'; write one of sequential, random",
    ),
    "other uuid": Broken(
        "uuid: 4",
        "uuid: 1",
        "6:17 feeders.token.uuid: '1' is no version that is made here; write 4, the random one",
    ),
    "range backwards": Broken(
        "{from: 1, to: 50}",
        "{from: 50, to: 1}",
        "3:17 feeders.page.range: goes from 50 to 1; write the smaller number as from",
        schema=False,
    ),
    "zipf without end": Broken(
        "{from: 1, to: 1000, exponent: 1.0}",
        "{from: 1}",
        "2:19 feeders.product.zipf: has no key 'to'; write to: ... (the last number, included)",
    ),
    "zipf backwards": Broken(
        "to: 1000",
        "to: 0",
        "2:19 feeders.product.zipf: goes from 1 to 0; write the smaller number as from",
        schema=False,
    ),
    "zipf of too many": Broken(
        "to: 1000",
        "to: 10000001",
        "2:19 feeders.product.zipf: has 10,000,001 values; write at most 10,000,000",
        schema=False,
    ),
    "zipf exponent of zero": Broken(
        "exponent: 1.0",
        "exponent: 0",
        "2:49 feeders.product.zipf.exponent: is 0, which makes all equally frequent; "
        "write a number above 0, or use random",
    ),
    "zipf exponent too large": Broken(
        "exponent: 1.0",
        "exponent: 11",
        "2:49 feeders.product.zipf.exponent: 11 is out of range; write 0 to 10",
    ),
    "empty list": Broken(
        '[shoes, "red hat"]', "[]", "4:16 feeders.term.list: is an empty list; write at least one item"
    ),
    "list in a list": Broken(
        '[shoes, "red hat"]',
        "[[shoes]]",
        "4:17 feeders.term.list[0]: a list stands where one value belongs; write one value",
    ),
    "csv missing": Broken(
        "accounts.csv",
        "none.csv",
        "5:18 feeders.account.csv: 'none.csv' cannot be read: No such file or directory; "
        "name a CSV file, relative to the scenario's folder",
        schema=False,
    ),
    "csv empty": Broken(
        "accounts.csv",
        "empty.csv",
        "5:18 feeders.account.csv: 'empty.csv' has no rows; "
        "write a head line with the columns' names and a row at least",
        schema=False,
    ),
    "csv of a head line": Broken(
        "accounts.csv",
        "head.csv",
        "5:18 feeders.account.csv: 'head.csv' has no rows; "
        "write a head line with the columns' names and a row at least",
        schema=False,
    ),
    "csv ragged": Broken(
        "accounts.csv",
        "ragged.csv",
        "5:18 feeders.account.csv: 'ragged.csv': line 2 has 1 values and the head line 2; mend that line",
        schema=False,
    ),
    "csv column twice": Broken(
        "accounts.csv",
        "twice.csv",
        "5:18 feeders.account.csv: 'twice.csv': the column 'email' stands in the head line twice; rename one",
        schema=False,
    ),
    "csv column without name": Broken(
        "accounts.csv",
        "nameless.csv",
        "5:18 feeders.account.csv: 'nameless.csv': a column has no name in the head line; write one for each",
        schema=False,
    ),
    "csv in Latin-1": Broken(
        "accounts.csv",
        "latin.csv",
        "5:18 feeders.account.csv: 'latin.csv' is not UTF-8; save it as UTF-8",
        schema=False,
    ),
    "csv with a stray quote": Broken(
        "accounts.csv",
        "quote.csv",
        "5:18 feeders.account.csv: 'quote.csv': line 2 is no CSV (',' expected after '\"'); mend that line",
        schema=False,
    ),
}

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
        "28:14 flows[1].steps[0].get: '{a b}' is no placeholder; write {name}, or {{ and }} for braces",
        schema=False,
    ),
    "lone brace": Broken(
        "body: results",
        'body: "{"',
        "29:44 flows[1].steps[0].expect.body: '{' is no placeholder; write {name}, or {{ and }} for braces",
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
        "19:86 flows[0].steps[1].expect.json.$.id: {sku} is captured only by this very step; "
        "use it in a step after that one",
        schema=False,
    ),
    "of another flow": Broken(
        "q={term}",
        "q={sku}",
        "28:14 flows[1].steps[0].get: {sku} is captured in the flow 'browse' alone; "
        "capture it in this one, too",
        schema=False,
    ),
    "capture in a shared header": Broken(
        "Bearer ${API_TOKEN}",
        "Bearer {sku}",
        "8:26 headers.Authorization: {sku} is a capture, which the first step has not; "
        "write the header into the steps",
        schema=False,
    ),
    "capture named as a feeder": Broken(
        "tag: {header: ETag}",
        "tag: {header: ETag}, page: {header: ETag}",
        "20:62 flows[0].steps[1].capture: 'page' is the feeder of line 3, too; rename the capture",
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
        "8:26 headers.Authorization: '${API-TOKEN}' is no variable; write ${NAME}, or ${file:/path}",
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
        "23:19 flows[0].steps[2].headers: the header content-length is the client's own; remove it",
    ),
    "host header": Broken(
        "Authorization:", "Host:", "8:11 headers: the header Host is the client's own; remove it"
    ),
    "header name": Broken(
        "If-Match:",
        '"If Match":',
        "23:19 flows[0].steps[2].headers: 'If Match' is no header name; write letters, digits and hyphens",
    ),
    "header twice": Broken(
        'If-Match: "{tag}"',
        'If-Match: "{tag}", if-match: x',
        "23:38 flows[0].steps[2].headers: the header if-match is written above as If-Match; keep one of them",
        schema=False,
    ),
    "cookie header beside cookies": Broken(
        "Authorization:",
        "Cookie:",
        "8:19 headers.Cookie: stands beside cookies: true, which sends this header; remove one of the two",
        schema=False,
    ),
    "name of another method": Broken(
        "name: GET /products/{id}",
        "name: POST /products/{id}",
        "18:15 flows[0].steps[1].name: 'POST /products/{id}' is named after another method; "
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

ANSWERS = {
    "status": Broken(
        "status: 200",
        "status: 99",
        "19:26 flows[0].steps[1].expect.status: '99' is no status; write one such as 200, 2xx or [200, 404]",
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
        "19:80 flows[0].steps[1].expect.json: 'id' is no JSON path; "
        "write one such as $.items[0].id or $['unit price']",
    ),
    "captured json path": Broken(
        '"$.sku"',
        '"$..sku"',
        "20:31 flows[0].steps[1].capture.sku.json: '$..sku' is no JSON path; "
        "write one such as $.items[0].id or $['unit price']",
    ),
    "capture without source": Broken(
        "{header: ETag}",
        "{}",
        "20:46 flows[0].steps[1].capture.tag: has not exactly one source; "
        "write {json: $.id} or {header: ETag}",
    ),
    "capture name": Broken(
        "tag: {header: ETag}",
        "tag: {header: ETag}, a-b: {header: ETag}",
        "20:62 flows[0].steps[1].capture: 'a-b' is no name of a capture; write one such as sku",
    ),
    "captured header name": Broken(
        "header: ETag",
        "header: E Tag",
        "20:55 flows[0].steps[1].capture.tag.header: 'E Tag' is no header name; "
        "write letters, digits and hyphens",
    ),
    "size without comparison": Broken(
        '"< 10 kB"',
        "10 kB",
        "29:59 flows[1].steps[0].expect.size: '10 kB' is no bound of a size; "
        'write one such as "< 10 kB" or ">= 1 B"',
    ),
    "size in unknown units": Broken(
        '"< 10 kB"',
        '"< 10 kb"',
        "29:59 flows[1].steps[0].expect.size: '< 10 kb' is no bound of a size; "
        'write one such as "< 10 kB" or ">= 1 B"',
    ),
    "size of half a byte": Broken(
        '"< 10 kB"',
        '"< 0.5 B"',
        "29:59 flows[1].steps[0].expect.size: '< 0.5 B' is no whole number of bytes; "
        "write one such as < 10 kB",
        schema=False,
    ),
}
BROKEN = SHAPES | FEEDERS | PLACEHOLDERS | REQUESTS | ANSWERS
