"""The options of curl: which take a value, and what each means for the request (``curl --help all``)."""

from collections.abc import Iterator, Mapping

from slocheck.errors import UsageError


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SHORT_NAMES = """
    E=cert K=config C=continue-at b=cookie c=cookie-jar d=data D=dump-header F=form P=ftp-port
    H=header m=max-time o=output x=proxy U=proxy-user Q=quote r=range e=referer X=request
    Y=speed-limit y=speed-time t=telnet-option z=time-cond T=upload-file u=user A=user-agent
    w=write-out a=append q=disable f=fail G=get g=globoff I=head 0=http1.0 i=include k=insecure
    4=ipv4 6=ipv6 j=junk-session-cookies l=list-only L=location n=netrc :=next N=no-buffer
    Z=parallel #=progress-bar p=proxytunnel J=remote-header-name O=remote-name R=remote-time
    S=show-error s=silent 2=sslv2 3=sslv3 1=tlsv1 B=use-ascii v=verbose V=version
"""
_SHORT: Mapping[str, str] = {item[0]: item[2:] for item in _SHORT_NAMES.split()}

CREDENTIALS = _names("""
    anyauth aws-sigv4 basic cert cookie delegation digest key krb login-options negotiate netrc
    netrc-file netrc-optional ntlm ntlm-wb oauth2-bearer pass proxy-cert proxy-header proxy-key
    proxy-pass proxy-tlspassword proxy-tlsuser proxy-user sasl-authzid tlspassword tlsuser user
""")
"""They send a credential, or say which."""
CHANGES = _names("""
    abstract-unix-socket cacert capath connect-to continue-at crlf doh-url etag-compare
    haproxy-protocol insecure interface location location-trusted noproxy preproxy proxy proxy1.0
    range request-target resolve socks4 socks4a socks5 socks5-hostname time-cond unix-socket
""")
"""They change what is sent, where it goes or what is answered; a scenario does without them."""
DATA = _names("""
    data data-ascii data-binary data-raw data-urlencode json url-query
""")
_READ = _names("""
    config form form-string header referer request upload-file url user-agent
""")
_OTHER_VALUES = _names("""
    alt-svc cert-type ciphers connect-timeout cookie-jar create-file-mode crlfile curves
    dns-interface dns-ipv4-addr dns-ipv6-addr dns-servers dump-header ech egd-file engine etag-save
    expect100-timeout ftp-account ftp-alternative-to-user ftp-method ftp-port ftp-ssl-ccc-mode
    happy-eyeballs-timeout-ms haproxy-clientip hostpubmd5 hostpubsha256 hsts ip-tos ipfs-gateway
    keepalive-cnt keepalive-time key-type libcurl limit-rate local-port mail-auth mail-from
    mail-rcpt max-filesize max-redirs max-time output output-dir parallel-max pinnedpubkey proto
    proto-default proto-redir proxy-cacert proxy-capath proxy-cert-type proxy-ciphers proxy-crlfile
    proxy-key-type proxy-pinnedpubkey proxy-service-name proxy-tls13-ciphers proxy-tlsauthtype
    pubkey quote random-file rate retry retry-delay retry-max-time service-name
    socks5-gssapi-service speed-limit speed-time stderr telnet-option tftp-blksize tls-max
    tls13-ciphers tlsauthtype trace trace-ascii trace-config vlan-priority write-out
""")
_FLAGS = _names("""
    alpn anyauth append basic buffer cert-status clobber compressed compressed-ssh create-dirs crlf
    digest disable disable-eprt disable-epsv disallow-username-in-url doh-cert-status doh-insecure
    fail fail-early fail-with-body false-start form-escape ftp-create-dirs ftp-pasv ftp-pret
    ftp-skip-pasv-ip ftp-ssl-ccc ftp-ssl-control get globoff haproxy-protocol head http0.9 http1.0
    http1.1 http2 http2-prior-knowledge http3 http3-only ignore-content-length include insecure ipv4
    ipv6 junk-session-cookies keepalive list-only location location-trusted mail-rcpt-allowfails
    metalink negotiate netrc netrc-optional next npn ntlm ntlm-wb parallel parallel-immediate
    path-as-is post301 post302 post303 progress-bar progress-meter proxy-anyauth proxy-basic
    proxy-digest proxy-http2 proxy-insecure proxy-negotiate proxy-ntlm proxy-ssl-allow-beast
    proxy-ssl-auto-client-cert proxy-tlsv1 proxytunnel raw remote-header-name remote-name
    remote-name-all remote-time remove-on-error retry-all-errors retry-connrefused sasl-ir sessionid
    show-error silent socks5-basic socks5-gssapi socks5-gssapi-nec ssl ssl-allow-beast
    ssl-auto-client-cert ssl-no-revoke ssl-reqd ssl-revoke-best-effort sslv2 sslv3 styled-output
    suppress-connect-headers tcp-fastopen tcp-nodelay tftp-no-options tlsv1 tlsv1.0 tlsv1.1 tlsv1.2
    tlsv1.3 tr-encoding trace-ids trace-time use-ascii verbose version xattr
""")
TAKE_VALUES = ((CREDENTIALS | CHANGES) - _FLAGS) | DATA | _READ | _OTHER_VALUES
_LONGEST_NAME = 30


def options_of(words: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the options of a line by their long names, and its addresses as ``url``, each with its value.

    Raises:
        UsageError: An option is unknown, or has no value; its value is not shown.
    """
    rest, only_urls = iter(words), False
    for word in rest:
        if only_urls or not word.startswith("-") or word == "-":
            yield "url", word
        elif word == "--":
            only_urls = True
        elif word.startswith("--"):
            yield _long(word[2:], rest)
        else:
            yield from _cluster(word[1:], rest)


def _long(word: str, rest: Iterator[str]) -> tuple[str, str]:
    """Read ``request POST`` and ``request=POST``."""
    name, equals, value = word.partition("=")
    if name in TAKE_VALUES:
        return name, value if equals else _value(f"--{name}", rest)
    if name in _FLAGS and not equals:
        return name, ""
    if name.removeprefix("no-") in _FLAGS and not equals:
        return "", ""  # switches off what is off in a scenario
    raise _unknown(f"--{name}")


def _cluster(letters: str, rest: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Read ``sX POST`` and ``sXPOST``: the first letter that takes a value has the rest of the word."""
    for at, letter in enumerate(letters):
        name = _SHORT.get(letter, "")
        if name in TAKE_VALUES:
            yield name, letters[at + 1 :] or _value(f"-{letter}", rest)
            return
        if not name:
            raise _unknown(f"-{letter}")
        yield name, ""


def _value(option: str, rest: Iterator[str]) -> str:
    value = next(rest, None)
    if value is None:
        raise UsageError(f"--curl: {option} has no value after it; put the whole line in quotes")
    return value


def _unknown(option: str) -> UsageError:
    known = option if option.isascii() and option.isprintable() and len(option) <= _LONGEST_NAME else "one"
    return UsageError(f"--curl: has an option that is not known: {known}; remove it, and its value")
