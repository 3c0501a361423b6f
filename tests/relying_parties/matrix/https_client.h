// A client that shows a certificate and asks for a page, and an application behind a gateway.
#ifndef HOURGLASS_TESTS_RELYING_PARTIES_MATRIX_HTTPS_CLIENT_H_
#define HOURGLASS_TESTS_RELYING_PARTIES_MATRIX_HTTPS_CLIENT_H_

#include <atomic>
#include <string>
#include <thread>

#include "issuance/edge/descriptor.h"
#include "tests/relying_parties/openssl_ca.h"

namespace hourglass::matrix {

// What a server on 127.0.0.1 answers to a `GET /` in TLS 1.3 with this certificate, which also
// claims to come from mallory in the header X-Hourglass-User. Empty where it ends the connection
// instead. Whom it talks to is not looked at.
std::string GetPage(int port, const CertificateAndKey& credential);

// An application that says `welcome USER`, with the user of the header X-Hourglass-User, on a port
// of loopback as long as the object lives.
class Application {
 public:
  Application();
  ~Application();
  Application(const Application&) = delete;
  Application& operator=(const Application&) = delete;

  int port() const { return port_; }

 private:
  void Serve();

  issuance::Descriptor listener_;
  int port_ = 0;
  std::atomic<bool> ends_ = false;
  std::thread thread_;
};

}  // namespace hourglass::matrix

#endif  // HOURGLASS_TESTS_RELYING_PARTIES_MATRIX_HTTPS_CLIENT_H_
