"""A server of key sets over TLS that misbehaves on request: key_server.py CERTIFICATE KEY FILE.

/keys is what FILE holds now. Says `listening on PORT` when it is ready.
"""

import http.server
import ssl
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        print("asked for", self.path, flush=True)
        if self.path == "/slow":
            # Nothing is ever sent: this ends when the client hangs up.
            self.rfile.read(1)
            self.close_connection = True
        elif self.path == "/half":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"{")
            self.wfile.flush()
            self.rfile.read(1)
            self.close_connection = True
        elif self.path == "/to-http":
            self.answer(302, b"", {"Location": "http://127.0.0.1:1/keys"})
        elif self.path == "/to-keys":
            self.answer(302, b"", {"Location": "/keys"})
        elif self.path == "/large":
            self.answer(200, b" " * 300000, {})
        elif self.path == "/large-chunks":
            self.send_response(200)
            self.send_header("Connection", "close")
            self.end_headers()
            try:
                for _ in range(1000):
                    self.wfile.write(b" " * 1000)
            except OSError:
                pass
            self.close_connection = True
        elif self.path == "/keys":
            with open(sys.argv[3], "rb") as file:
                self.answer(200, file.read(), {})
        else:
            self.answer(503, b"not now", {})

    def answer(self, status, body, headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True,
                                        do_handshake_on_connect=False)
    print("listening on", server.server_address[1], flush=True)
    server.serve_forever()


main()
