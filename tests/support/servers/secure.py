"""A Redis and a RabbitMQ that answer over TLS, and the certificates for that."""

from __future__ import annotations

from pathlib import Path

import trustme

from local.process import free_port, listening
from local.rabbitmq import RabbitServer
from local.redis import RedisServer

HOST = "localhost"  # what the certificates are made out to


class Certificates:
    """An authority's certificate, the servers' and ours, as files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca, self.wrong_ca = self._authority("ca", folder), str(folder / "wrong.pem")
        self.ours = str(folder / "ours.pem")
        trustme.CA().cert_pem.write_to_path(self.wrong_ca)

    def _authority(self, name: str, folder: Path) -> str:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(folder / f"{name}.pem"))
        server = authority.issue_cert(HOST)
        server.private_key_pem.write_to_path(str(folder / "server.key"))
        server.cert_chain_pems[0].write_to_path(str(folder / "server.pem"))
        authority.issue_cert("fleet.example").private_key_and_cert_chain_pem.write_to_path(
            str(folder / "ours.pem")
        )
        return str(folder / f"{name}.pem")


class SecureRedis(RedisServer):
    """Answers over TLS as well, to the user `fleet` with a password; asks for our certificate."""

    def __init__(self, folder: Path, certificates: Certificates, binary: str | None, password: str) -> None:
        super().__init__(folder, free_port(), binary)
        self._password = password
        self.tls_port = free_port()
        self._certificates = certificates.folder

    def _command(self) -> list[str]:
        options = {
            "tls-port": str(self.tls_port),
            "tls-cert-file": f"{self._certificates}/server.pem",
            "tls-key-file": f"{self._certificates}/server.key",
            "tls-ca-cert-file": f"{self._certificates}/ca.pem",
            "tls-auth-clients": "yes",
        }
        users = self._folder / "redis.conf"
        users.write_text(f"user fleet on >{self._password} ~* &* +@all\n")
        binary, *others = super()._command()
        return [binary, str(users), *others, *(word for k, v in options.items() for word in (f"--{k}", v))]


class SecureRabbit(RabbitServer):
    """Answers over TLS as well; asks for our certificate."""

    def __init__(self, folder: Path, certificates: Certificates) -> None:
        super().__init__(folder, free_port(), free_port(), free_port())
        self.tls_port = free_port()
        self._certificates = certificates.folder

    def answers(self) -> bool:
        """RabbitMQ 4 opens its listeners one after the other."""
        return super().answers() and listening(self.tls_port)

    def _write_configuration(self) -> None:
        super()._write_configuration()
        options = {
            "listeners.ssl.1": f"127.0.0.1:{self.tls_port}",
            "ssl_options.cacertfile": f"{self._certificates}/ca.pem",
            "ssl_options.certfile": f"{self._certificates}/server.pem",
            "ssl_options.keyfile": f"{self._certificates}/server.key",
            "ssl_options.verify": "verify_peer",
            "ssl_options.fail_if_no_peer_cert": "true",
        }
        with (self._folder / "rabbitmq.conf").open("a") as file:
            file.writelines(f"{key} = {value}\n" for key, value in options.items())
