#include "tests/support/raw_http2.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace hourglass {
namespace http2 {

static constexpr std::size_t kFrameHeadSize = 9;

static std::uint32_t NumberAt(absl::string_view octets, std::size_t at, int size) {
  std::uint32_t value = 0;
  for (int i = 0; i < size; ++i) {
    value = value << 8 | static_cast<unsigned char>(octets[at + static_cast<std::size_t>(i)]);
  }
  return value;
}

std::string Field(absl::string_view name, absl::string_view value) {
  return absl::StrCat(std::string(1, '\0'), std::string(1, static_cast<char>(name.size())), name,
                      std::string(1, static_cast<char>(value.size())), value);
}

std::string Number(std::uint32_t value) {
  std::string octets;
  for (int shift = 24; shift >= 0; shift -= 8) {
    octets.push_back(static_cast<char>(value >> shift & 0xFF));
  }
  return octets;
}

std::string Frame(FrameType type, std::uint8_t flags, std::uint32_t stream,
                  absl::string_view payload) {
  return absl::StrCat(Number(static_cast<std::uint32_t>(payload.size())).substr(1),
                      std::string(1, static_cast<char>(type)),
                      std::string(1, static_cast<char>(flags)), Number(stream), payload);
}

std::string CallFields(absl::string_view path) {
  // The first two are entries 3 and 7 of the static table: POST, https.
  return absl::StrCat("\x83\x87", Field(":path", path), Field(":authority", "localhost"),
                      Field("te", "trailers"), Field("content-type", "application/grpc"));
}

std::string Headers(std::uint32_t stream, absl::string_view fields) {
  return Frame(kHeaders, kEndHeaders, stream, fields);
}

std::string Message(absl::string_view octets) {
  return absl::StrCat(std::string(1, '\0'), Number(static_cast<std::uint32_t>(octets.size())),
                      octets);
}

std::string Reset(std::uint32_t stream) {
  constexpr std::uint32_t kCancel = 8;
  return Frame(kResetStream, 0, stream, Number(kCancel));
}

std::string Setting(std::uint16_t id, std::uint32_t value) {
  return absl::StrCat(Number(id).substr(2), Number(value));
}

}  // namespace http2

namespace {

[[noreturn]] void Die(absl::string_view what) {
  std::cerr << "raw HTTP/2 client: " << what << std::endl;
  ERR_print_errors_fp(stderr);
  std::abort();
}

// Negative where there is no connection.
int ConnectedSocket(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  int port = 0;
  if (colon == std::string::npos || !absl::SimpleAtoi(address.substr(colon + 1), &port)) {
    Die("no address");
  }
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr);
  const timeval limit = {RawHttp2::kPatience.count(), 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  if (connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0) return fd;
  close(fd);
  return -1;
}

}  // namespace

class RawHttp2::Tls {
 public:
  Tls(const std::string& address, const std::string& trusted_roots_file,
      const TlsCredential& credential)
      : fd_(ConnectedSocket(address)), context_(SSL_CTX_new(TLS_client_method())) {
    constexpr unsigned char kH2[] = "\x02h2";
    SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
    if (SSL_CTX_load_verify_locations(context_, trusted_roots_file.c_str(), nullptr) != 1 ||
        SSL_CTX_use_certificate_chain_file(context_, credential.certificate_file.c_str()) != 1 ||
        SSL_CTX_use_PrivateKey_file(context_, credential.private_key_file.c_str(),
                                    SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_set_alpn_protos(context_, kH2, 3) != 0) {
      Die("no credential");
    }
    ssl_ = SSL_new(context_);
    SSL_set_fd(ssl_, fd_);
    SSL_set_tlsext_host_name(ssl_, "localhost");
    // OpenSSL writes without MSG_NOSIGNAL.
    signal(SIGPIPE, SIG_IGN);
  }
  ~Tls() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
    if (fd_ >= 0) close(fd_);
  }
  bool ShakeHands() { return fd_ >= 0 && SSL_connect(ssl_) == 1; }
  SSL* ssl() { return ssl_; }

 private:
  const int fd_;
  SSL_CTX* const context_;
  SSL* ssl_ = nullptr;
};

RawHttp2::RawHttp2(std::unique_ptr<Tls> tls) : tls_(std::move(tls)) {}

RawHttp2::RawHttp2(const std::string& address, const std::string& trusted_roots_file,
                   const TlsCredential& credential, absl::string_view settings,
                   Acknowledgement acknowledgement)
    : RawHttp2(std::make_unique<Tls>(address, trusted_roots_file, credential)) {
  if (!tls_->ShakeHands() || !SendPreface(settings, acknowledgement)) Die("no connection");
}

std::unique_ptr<RawHttp2> RawHttp2::TryToConnect(const std::string& address,
                                                 const std::string& trusted_roots_file,
                                                 const TlsCredential& credential,
                                                 absl::string_view settings) {
  std::unique_ptr<RawHttp2> connection(
      new RawHttp2(std::make_unique<Tls>(address, trusted_roots_file, credential)));
  const bool connected =
      connection->tls_->ShakeHands() && connection->SendPreface(settings, Acknowledgement::kSent);
  ERR_clear_error();
  return connected ? std::move(connection) : nullptr;
}

bool RawHttp2::SendPreface(absl::string_view settings, Acknowledgement acknowledgement) {
  const bool is_sent = acknowledgement == Acknowledgement::kSent;
  return Send(absl::StrCat(
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", http2::Frame(http2::kSettings, 0, 0, settings),
      is_sent ? http2::Frame(http2::kSettings, http2::kAcknowledged, 0, "") : ""));
}

RawHttp2::~RawHttp2() = default;

bool RawHttp2::Send(absl::string_view octets) {
  ERR_clear_error();
  return octets.empty() ||
         SSL_write(tls_->ssl(), octets.data(), static_cast<int>(octets.size())) > 0;
}

bool RawHttp2::Fill(std::size_t size) {
  char octets[16'384];
  while (buffer_.size() < size) {
    ERR_clear_error();
    const int read = SSL_read(tls_->ssl(), octets, sizeof(octets));
    if (read <= 0) return false;
    buffer_.append(octets, static_cast<std::size_t>(read));
  }
  return true;
}

void RawHttp2::Account(const Received& received) {
  if (received.type == http2::kWindowUpdate) {
    const std::uint32_t more = http2::NumberAt(received.payload, 0, 4);
    if (received.stream == 0) {
      connection_window_ += more;
    } else {
      stream_windows_[received.stream] += more;
    }
  }
  if (received.type != http2::kSettings) return;
  constexpr std::uint32_t kInitialWindowSize = 4;
  for (std::size_t at = 0; at + 6 <= received.payload.size(); at += 6) {
    if (http2::NumberAt(received.payload, at, 2) == kInitialWindowSize) {
      initial_window_ = http2::NumberAt(received.payload, at + 2, 4);
    }
  }
}

std::int64_t RawHttp2::WindowOf(std::uint32_t stream) {
  return std::min(connection_window_, initial_window_ + stream_windows_[stream]);
}

bool RawHttp2::SendData(std::uint32_t stream, absl::string_view octets) {
  constexpr std::size_t kLargestFrame = 16'384;
  while (!octets.empty()) {
    if (WindowOf(stream) <= 0) {
      if (!Read().has_value()) return false;
      continue;
    }
    const std::size_t size =
        std::min({octets.size(), kLargestFrame, static_cast<std::size_t>(WindowOf(stream))});
    if (!Send(http2::Frame(http2::kData, 0, stream, octets.substr(0, size)))) return false;
    connection_window_ -= static_cast<std::int64_t>(size);
    stream_windows_[stream] -= static_cast<std::int64_t>(size);
    octets.remove_prefix(size);
  }
  return true;
}

std::optional<RawHttp2::Received> RawHttp2::Read() {
  if (!Fill(http2::kFrameHeadSize)) return std::nullopt;
  const std::size_t size = http2::NumberAt(buffer_, 0, 3);
  Received received = {static_cast<std::uint8_t>(buffer_[3]), static_cast<std::uint8_t>(buffer_[4]),
                       http2::NumberAt(buffer_, 5, 4), ""};
  if (!Fill(http2::kFrameHeadSize + size)) return std::nullopt;
  received.payload = buffer_.substr(http2::kFrameHeadSize, size);
  buffer_.erase(0, http2::kFrameHeadSize + size);
  Account(received);
  return received;
}

}  // namespace hourglass
