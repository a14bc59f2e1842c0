"""Lines of curl as people write and copy them, and what of a request is a credential."""

import pytest

from slocheck.documents.secret_names import is_secret_name
from slocheck.errors import UsageError
from slocheck.importers.curl import from_curl
from slocheck.importers.model import split_address
from slocheck.importers.secrecy import body_has_secret, sorted_headers, without_secrets

SECRET = "hunter2hunter2"
JWT = "eyJhbGciOiJIUzI1NiJ9.e30.c2ln"
AT = "http://127.0.0.1:9/a"
NAMES = """
    accessToken sessionToken idToken clientSecret userPassword authToken apiToken secretKey
    accessKey pass passphrase Authorization AWSAccessKeyId hmac ticket SAMLResponse
    csrfmiddlewaretoken credentials cvv password_confirmation card_number cardNumber newPassword2
    X-Api-Key APIKEY apikeys PHPSESSID sid ACCESS_TOKEN user[password] jwtToken
"""
TAKEN = [
    (f"-sX POST {AT}", "POST", "/a", ""),
    (f"-su bob:{SECRET} {AT}", "GET", "/a", ""),
    (f"-sH 'Authorization: Bearer {SECRET}' {AT}", "GET", "/a", ""),
    (f"-sSfLo out.txt {AT}", "GET", "/a", ""),
    (f"--pass {SECRET} {AT}", "GET", "/a", ""),
    (f"-U bob:{SECRET} --proxy-user bob:{SECRET} {AT}", "GET", "/a", ""),
    (f"--limit-rate 1M --max-redirs 5 --no-buffer {AT}", "GET", "/a", ""),
    (f"-T file {AT}", "PUT", "/a", ""),
    (f"-F 'password={SECRET}' {AT}", "POST", "/a", ""),
    (f"-d @{SECRET} {AT}", "POST", "/a", ""),
    (f"--data-raw @x {AT}", "POST", "/a", "@x"),
    (f"-G --data-urlencode 'q=a b&c' --url-query r=1 {AT}", "GET", "/a?r=1&q=a+b%26c", ""),
    (f"-d a=1 -d b=2 {AT}", "POST", "/a", "a=1&b=2"),
    (f"--data-raw $'it\\'s\\u0021\\n' {AT}", "POST", "/a", "it's!\n"),
    (f"{AT} | jq .{SECRET}", "GET", "/a", ""),
    (f"{AT}|jq .{SECRET}", "GET", "/a", ""),
    (f"{AT} 2>{SECRET}", "GET", "/a", ""),
    (f"127.0.0.1:9/a?x=1&y=2 >{SECRET}", "GET", "/a?x=1&y=2", ""),
    (f"'{AT}?x=\\[1\\]&y=\\{{\\}}'", "GET", "/a?x=[1]&y={{}}", ""),
    (f"-g '{AT}?x=[1-2]'", "GET", "/a?x=[1-2]", ""),
    (f"--url-query @{SECRET} --url-query y@{SECRET} --url-query +z {AT}", "GET", "/a?z", ""),
    (f"--data-urlencode +1 {AT}", "POST", "/a", "%2B1"),
    (f"-- {AT}", "GET", "/a", ""),
    (f"'{AT}/ä b?q=ü'", "GET", "/a/%C3%A4%20b?q=%C3%BC", ""),
    (f"'{AT};jsessionid={SECRET}?x=1'", "GET", "/a?x=1", ""),
]
REFUSED = [
    (f"--frobnicate {SECRET} {AT}", "an option that is not known: --frobnicate"),
    (f"-s@{SECRET} {AT}", "an option that is not known: -@"),
    (f"{AT} http://{SECRET}/", "several addresses"),
    (f"{AT}/{{a,b}}", "stands for several"),
    (f"{AT}/[1-3]", "stands for several"),
    (f"{AT} --next {AT}", "--next adds further requests"),
    (f"-K {SECRET} {AT}", "--config adds further requests"),
    (f"-X {SECRET} {AT}", "its method is not one"),
    ("http://[::1/a", "the address cannot be used"),
    (f"http://127.0.0.1:{SECRET}/a", "the address cannot be used"),
    (f"ftp://{SECRET}/a", "the address cannot be used"),
    (f"{AT}/{JWT}", "the path holds what may be a credential"),
    (f'"{AT}/$ID"', "a shell variable"),
    (f"{AT} -H", "-H has no value"),
    (f"{AT}/{'x' * 9000}", "a scenario cannot hold"),
    (f"$'\\UFFFFFFFF' {AT}", "cannot be read"),
]


@pytest.mark.parametrize(("line", "method", "path", "body"), TAKEN)
def test_a_line_is_read_as_curl_reads_it(line: str, method: str, path: str, body: str) -> None:
    """Clusters of short options, values apart or not; the target stays the target, no secret is copied."""
    found = from_curl(f"curl {line}", all_methods=True)
    (step,) = found.steps
    assert (found.target, step.method, step.path, step.body) == ("http://127.0.0.1:9", method, path, body)
    assert SECRET not in repr(found)
    if method != "GET":
        with pytest.raises(UsageError, match=f"sends {method}"):
            from_curl(f"curl {line}", all_methods=False)


@pytest.mark.parametrize(("line", "said"), REFUSED)
def test_a_line_that_cannot_be_taken_is_refused_without_its_words(line: str, said: str) -> None:
    """The message shows at most the option's name."""
    with pytest.raises(UsageError) as raised:
        from_curl(f"curl {line}", all_methods=True)
    assert said in str(raised.value)
    assert SECRET not in str(raised.value)
    assert JWT not in str(raised.value)


def test_what_a_line_says_beyond_a_step_is_said() -> None:
    """Each kind of problem has its message, and none shows a value."""
    line = f"curl -kL -A me -e {AT} -x {SECRET} -F a=b -d @f -H @g -b {SECRET} {AT} > out"
    said = "; ".join(from_curl(line, all_methods=True).left_out)
    for part in ("insecure", "location", "proxy", "form", "body, or a part of", "headers that are in a file"):
        assert part in said
    for part in ("headers: Referer, User-Agent", "credentials", "follows"):
        assert part in said
    assert SECRET not in said


@pytest.mark.parametrize("name", NAMES.split())
def test_a_field_with_the_name_of_a_secret_is_one(name: str) -> None:
    """In a query, in JSON, in a form, in a form of several parts, in GraphQL, in broken JSON."""
    assert without_secrets(f"{AT}?{name}={SECRET}&x=1")[0].query == "x=1"
    bodies = (
        f'{{"a": [{{"{name}": "x"}}]}}',
        f"a=1&{name}=x",
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\nx\r\n--b--',
        f'{{"{name}": "x",',
        f"<a><{name}>x</{name}></a>",
        f'[{{"name": "{name}", "value": "x"}}]',
    )
    assert all(map(body_has_secret, bodies))


@pytest.mark.parametrize("name", ["page", "author", "design", "monkey", "passenger", "secretary", "keyword"])
def test_an_ordinary_field_is_kept(name: str) -> None:
    """Words that only begin or end like those for secrets."""
    assert not is_secret_name(name)
    assert not body_has_secret(f'{{"{name}": 1, "max_tokens": 5}}')
    assert without_secrets(f"{AT}?{name}=1&locale=sk_SK")[0].query == f"{name}=1&locale=sk_SK"


def test_odd_bodies_are_looked_into() -> None:
    """GraphQL within JSON, tokens as values, and a body that is nested too deep to look into."""
    assert body_has_secret('mutation { login(user: "x", password: "x") { ok } }')
    assert body_has_secret('{"query": "mutation { login(password: \\"x\\") { ok } }"}')
    assert body_has_secret(f'{{"a": "{JWT}"}}')
    assert body_has_secret("[" * 100_000)
    assert not body_has_secret('{"sku": 1, "names": ["a b", null]}')


def test_headers_are_kept_merged_or_named() -> None:
    """Parameters of a media type may be secrets; what a browser always sends is not one."""
    pairs = [("Accept", "a/b"), ("accept", "c/d"), ("Content-Type", f"a/b; charset=utf-8; token={SECRET}")]
    found = sorted_headers([*pairs, ("User-Agent", "x"), ("Host", "x")])
    assert found.kept == {"Accept": "a/b, c/d", "Content-Type": "a/b; charset=utf-8"}
    assert found.others == {"User-Agent"}
    assert found.credentials
    assert not sorted_headers([("User-Agent", "x"), ("sec-ch-ua", "x")]).credentials
    assert sorted_headers([("X-Whatever", "x")]).credentials


@pytest.mark.parametrize("path", [f"/{JWT}", f"/a;token={SECRET}", "/?accessToken=x"])
def test_an_address_with_a_credential_is_refused(path: str) -> None:
    """In its path or its query, and not shown."""
    with pytest.raises(UsageError) as raised:
        split_address(f"http://127.0.0.1:9{path}", "--url")
    assert SECRET not in str(raised.value)
    assert JWT not in str(raised.value)
