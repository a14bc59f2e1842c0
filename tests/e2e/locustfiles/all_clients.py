"""Each base class, and each way to send with it and to judge a response."""

from together import classes_of

globals().update(
    classes_of(
        "clients/http_user.py",
        "clients/fast_http_user.py",
        "clients/lean_http_user.py",
        "clients/rest.py",
        "clients/catch_response.py",
        "clients/leaving_blocks.py",
        "clients/custom_client.py",
        "clients/own_session.py",
        "clients/sessions_of_other_libraries.py",
        "clients/concurrent_requests.py",
        "clients/wrappers.py",
    )
)
