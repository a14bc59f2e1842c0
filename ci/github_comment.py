"""Keeps one comment on a pull request: ``python3 github_comment.py SUMMARY NUMBER``, for GitHub Actions.

The first line of the summary is a hidden marker. The bot's comment that begins with it is changed; where
there is none, one is added. A comment of anybody else with that line is left alone: they could change it.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

PAGE = 100
BOT = "github-actions[bot]"


def ask(method: str, address: str, body: str | None = None) -> Any:
    """Send a request to the API and return what it says; raises OSError."""
    data = None if body is None else json.dumps({"body": body}).encode()
    headers = {
        "Authorization": f"Bearer {os.environ['GITHUB_TOKEN']}",
        "Accept": "application/vnd.github+json",
        "Content-Type": "application/json",
    }
    request = Request(address, data=data, headers=headers, method=method)  # noqa: S310 - GitHub's own address
    with urlopen(request, timeout=30) as response:  # noqa: S310 - as above
        return json.load(response)


def own_comment(comments: str, marker: str) -> str | None:
    """Return the address of the bot's comment with this marker; None where it has none."""
    author, page = os.environ.get("COMMENT_AUTHOR") or BOT, 1
    while found := ask("GET", f"{comments}?per_page={PAGE}&page={page}"):
        for comment in found:
            if comment["user"]["login"] == author and comment["body"].startswith(marker):
                return str(comment["url"])
        page += 1
    return None


def main(summary: str, number: str) -> None:
    """Change the comment, or add it."""
    text = Path(summary).read_text("utf-8")
    marker = text.partition("\n")[0]
    if not number.isdecimal() or not marker.startswith("<!-- slocheck "):
        sys.exit(f"{summary} is not a summary of slocheck, or {number!r} is not a pull request's number")
    api = os.environ.get("GITHUB_API_URL", "https://api.github.com")
    comments = f"{api}/repos/{os.environ['GITHUB_REPOSITORY']}/issues/{number}/comments"
    if known := own_comment(comments, marker):
        ask("PATCH", known, text)
    else:
        ask("POST", comments, text)


if __name__ == "__main__":
    main(*sys.argv[1:])
