"""The good scenario broken in its shape or its feeders; see `scenarios`."""

from tests.builders.scenarios import Broken
from tests.scenario.broken_steps import PLACEHOLDERS, REQUESTS, RESPONSES

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
        "14:13 flows[0].weight: '0' is not a weight; write a number above 0, at most 1000000",
    ),
    "negative weight": Broken(
        "weight: 3",
        "weight: -1",
        "14:13 flows[0].weight: '-1' is not a weight; write a number above 0, at most 1000000",
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
        "10:8 think: '3s..1s' has the longer time first; write the shorter one first, such as 1s..3s",
        schema=False,
    ),
    "think without unit": Broken("1s..3s", "1..3", "10:8 think: '1' has no unit; write 1s or 1ms"),
    "timeout without unit": Broken(
        "timeout: 5s", "timeout: 5", "26:18 flows[0].steps[2].timeout: '5' has no unit; write 5s or 5ms"
    ),
    "placeholder without quotes": Broken(
        '{sku: "{sku}", quantity: "{qty}"}',
        "{sku: x{sku}}",
        "24:22 has a { inside brackets or braces; put a text with {placeholders} in quotes",
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
        "6:10 feeders.token: has no source; write exactly one of zipf, range, list, csv, uuid, random",
    ),
    "two sources": Broken(
        "{uuid: 4}",
        "{uuid: 4, list: [a]}",
        "6:10 feeders.token: has more than one source; "
        "write exactly one of zipf, range, list, csv, uuid, random",
    ),
    "name with a hyphen": Broken(
        "token: {uuid: 4}\n",
        "token: {uuid: 4}\n  my-id: {uuid: 4}\n",
        "7:3 feeders: 'my-id' is not a feeder name; write one such as product",
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
        "6:17 feeders.token.uuid: '1' is not a supported UUID version; write 4 (random)",
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
        "2:49 feeders.product.zipf.exponent: is 0, which makes all numbers equally frequent; "
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
        "4:17 feeders.term.list[0]: a list is written where one value belongs; write one value",
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
        "write a header line with the column names and at least one row",
        schema=False,
    ),
    "csv of a head line": Broken(
        "accounts.csv",
        "head.csv",
        "5:18 feeders.account.csv: 'head.csv' has no rows; "
        "write a header line with the column names and at least one row",
        schema=False,
    ),
    "csv ragged": Broken(
        "accounts.csv",
        "ragged.csv",
        "5:18 feeders.account.csv: 'ragged.csv': line 2 has 1 values and the header line 2; fix that line",
        schema=False,
    ),
    "csv column twice": Broken(
        "accounts.csv",
        "twice.csv",
        "5:18 feeders.account.csv: 'twice.csv': the column 'email' is in the header line twice; rename one",
        schema=False,
    ),
    "csv column without name": Broken(
        "accounts.csv",
        "nameless.csv",
        "5:18 feeders.account.csv: 'nameless.csv': a column has no name in the header line; "
        "write one for each",
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
        "5:18 feeders.account.csv: 'quote.csv': line 2 is not valid CSV (',' expected after '\"'); "
        "fix that line",
        schema=False,
    ),
}

BROKEN = SHAPES | FEEDERS | PLACEHOLDERS | REQUESTS | RESPONSES
"""By the kind of problem."""
