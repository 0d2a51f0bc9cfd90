"""Certificates as wrong as a table needs them, by the openssl command."""

import subprocess

CONFIG = """
[ca]
default_ca = ours
[ours]
database = {folder}/index
new_certs_dir = {folder}
serial = {folder}/serial
policy = any
default_md = sha256
unique_subject = no
[any]
commonName = supplied
[request]
distinguished_name = none
[none]
[extensions]
basicConstraints = critical,CA:{is_authority}
{names}
{more}
"""


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                   stderr=subprocess.PIPE)


class Certificate:
    """A key and a certificate, NAME.pem with both, signed by `issuer`, or by itself."""

    def __init__(self, folder, name, issuer=None, names="", is_authority=False, key="ec", digest="sha256",
                 start="20200101000000Z", end="20491231000000Z", more=""):
        self.folder = folder / name
        self.folder.mkdir()
        self.key, self.alone, self.both = (self.folder / part for part in ("key.pem", "alone.pem", "both.pem"))
        self.issuer = issuer or self
        (self.folder / "index").touch()
        (self.folder / "serial").write_text("%016X\n" % (abs(hash(str(self.folder))) % 2**60 + 1))
        config = self.folder / "config"
        config.write_text(CONFIG.format(folder=self.folder, is_authority=str(is_authority).upper(), more=more,
                                        names=f"subjectAltName = {names}" if names else ""))
        kind = ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"] if key == "ec" else ["RSA", "-pkeyopt",
                                                                               f"rsa_keygen_bits:{key}"]
        openssl("genpkey", "-algorithm", *kind, "-out", self.key)
        request = self.folder / "request.pem"
        openssl("req", "-new", "-key", self.key, "-subj", f"/CN={name}", "-config", config, "-section", "request",
                "-out", request)
        signs = ["-selfsign"] if issuer is None else ["-cert", issuer.alone]
        openssl("ca", "-batch", "-notext", "-config", config, "-extensions", "extensions", "-in", request, "-out",
                self.alone, "-keyfile", self.issuer.key, "-md", digest, "-startdate", start, "-enddate", end, *signs)
        self.both.write_text(self.alone.read_text() + self.key.read_text())
