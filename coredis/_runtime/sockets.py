"""
Socket and TLS settings both halves of the runtime share.
"""

from __future__ import annotations

import os
import socket
import ssl
import struct
import sys

from .._core.config import TLSOptions

# Dead peers: probes after 30 s of silence, 5 s apart, 3 of them; sent data unacknowledged for 20 s ends the connection.
KEEPALIVE_IDLE_SECONDS = 30
KEEPALIVE_INTERVAL_SECONDS = 5
KEEPALIVE_PROBES = 3
USER_TIMEOUT_MILLISECONDS = 20_000
#: How long receiving waits in the kernel where it does so by itself. Each signal makes Python begin such a wait anew, however
#: late it is, so it is shorter than signals are apart; a reply that takes longer hardly notices what else has to be called.
PATIENT_SECONDS = 0.005
#: Elsewhere waiting in the kernel is not known to be safe: macOS takes MSG_DONTWAIT for sending, and waits nevertheless.
CAN_BE_PATIENT = sys.platform == "linux"


def prepare(connected: socket.socket, keepalive: bool) -> None:
    """
    Set the options of a connected socket; those the platform lacks are left out.
    """
    if connected.family not in (socket.AF_INET, socket.AF_INET6):
        return
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not keepalive:
        return
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", KEEPALIVE_IDLE_SECONDS),
        ("TCP_KEEPINTVL", KEEPALIVE_INTERVAL_SECONDS),
        ("TCP_KEEPCNT", KEEPALIVE_PROBES),
        ("TCP_USER_TIMEOUT", USER_TIMEOUT_MILLISECONDS),
    ):
        option = getattr(socket, name, None)
        if option is not None:
            connected.setsockopt(socket.IPPROTO_TCP, option, value)


def make_patient(connected: socket.socket) -> bool:
    """
    Have a socket wait by itself when something is received, for ``PATIENT_SECONDS`` at most: one call in the place of two. What
    is not to wait says ``MSG_DONTWAIT``, so sending never does.

    Returns:
        False: the platform cannot do that, and the socket still never waits
    """
    if not CAN_BE_PATIENT:
        return False
    try:
        limit = struct.pack("@ll", 0, int(PATIENT_SECONDS * 1e6))
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
    except OSError:  # a kernel that measures time in another way
        return False
    connected.settimeout(None)
    if isinstance(connected, socket.socket) and not os.get_blocking(connected.fileno()):
        # It waits in its own way, and knows nothing of the limit: gevent has replaced it.
        connected.settimeout(0.0)
        return False
    return True


def render_address(name: object) -> str | None:
    """
    Write a socket's name as servers do; None for what is not TCP.
    """
    if not isinstance(name, tuple):
        return None
    host, port = name[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def tls_context(options: TLSOptions) -> ssl.SSLContext:
    """
    Make a TLS context: TLS 1.2 or later, the certificate chain and the host name verified unless the options say otherwise.

    Raises:
        OSError, ssl.SSLError: a file is missing or unusable
    """
    try:
        context = ssl.create_default_context(cafile=options.ca_certs)
    except OSError as error:
        raise _unusable(error, f"ssl_ca_certs: {options.ca_certs}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = options.check_hostname and options.verify == "required"
    context.verify_mode = {
        "required": ssl.CERT_REQUIRED,
        "optional": ssl.CERT_OPTIONAL,
        "none": ssl.CERT_NONE,
    }[options.verify]
    if options.certfile is not None:
        files = f"ssl_certfile: {options.certfile}"
        if options.keyfile is not None:
            files += f", ssl_keyfile: {options.keyfile}"
        try:
            context.load_cert_chain(options.certfile, options.keyfile, password=_refuse_passphrase)
        except OSError as error:
            raise _unusable(error, files) from None
    return context


def _refuse_passphrase() -> str:
    # Without this OpenSSL asks for it on the terminal, and a service waits there for ever.
    raise ValueError("ssl_keyfile: it is protected by a passphrase; make an ssl_context with it")


def _unusable(error: OSError, files: str) -> OSError:
    """
    Say which file: neither OpenSSL nor the system does.
    """
    if isinstance(error, ssl.SSLError):
        return ssl.SSLError(error.errno, f"{files}: {error.strerror}")
    return OSError(error.errno, f"{files}: {error.strerror}")
