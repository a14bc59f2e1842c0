"""A shop in Starlette, with starlette_exporter set up as its documentation shows."""

import socket

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette_exporter import PrometheusMiddleware, handle_metrics


async def orders(_: Request) -> JSONResponse:
    """Return no orders."""
    return JSONResponse([])


async def order(request: Request) -> JSONResponse:
    """Return one order."""
    return JSONResponse({"order": request.path_params["order"]})


app = Starlette(routes=[Route("/orders", orders), Route("/orders/{order:int}", order)])
app.add_middleware(PrometheusMiddleware)
app.add_route("/metrics", handle_metrics)

if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(listening.getsockname()[1], flush=True)  # noqa: T201 - the parent reads it
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listening])
