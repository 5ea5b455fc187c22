"""The certificate of listeners that speak TLS: two PEM files, taken anew when somebody has replaced them."""

import logging
import ssl
from pathlib import Path

logger = logging.getLogger(__name__)


class Certificate:
    """Certificate (with its chain) and private key. Raises ValueError naming the files where they are no pair."""

    def __init__(self, chain: Path, key: Path) -> None:
        self.chain, self.key = chain, key
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._load()

    def refresh(self) -> bool:
        """Take files that have changed for the connections to come; return whether they were taken. A pair that is none is left
        alone, and said in the log.
        """
        if self._stamp() == self.stamp:
            return False
        try:
            self._load()
        except ValueError as error:
            logger.error("the certificate stays as it was: %s", error)
            return False
        return True

    def _load(self) -> None:
        self.stamp = self._stamp()
        try:
            # A trial first: a context that has taken half of a pair would refuse every client.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.chain, self.key)
            self.context.load_cert_chain(self.chain, self.key)
        except OSError as error:
            raise ValueError(
                f"{self.chain} and {self.key} are no certificate with its key: {error}"
            ) from None

    def _stamp(self) -> tuple[int, int]:
        try:
            return self.chain.stat().st_mtime_ns, self.key.stat().st_mtime_ns
        except OSError:
            return 0, 0
