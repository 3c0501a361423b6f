#include "tests/abuse/mixed/floods.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdint>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/support/raw_http2.h"

namespace hourglass {
namespace {

constexpr char kIssueOne[] = "/hourglass.v1.CertificateIssuer/IssueCertificate";
constexpr char kIssueMany[] = "/hourglass.v1.CertificateIssuer/IssueCertificates";

// Between two connections: the load is to be bounded, and this machine has few processors.
constexpr std::chrono::milliseconds kPause(250);

// `act` on a connection of its own, over and over; it returns how much it did.
template <typename Act>
int OnConnections(const FloodTarget& target, const std::atomic<bool>& stopping, Act act,
                  absl::string_view settings = "") {
  int count = 0;
  while (!stopping) {
    const std::unique_ptr<RawHttp2> connection = RawHttp2::TryToConnect(
        target.address, target.trusted_roots_file, target.credential, settings);
    if (connection != nullptr) count += act(*connection);
    std::this_thread::sleep_for(kPause);
  }
  return count;
}

int SendUntilRefused(RawHttp2& connection, const std::string& octets, int each, int times) {
  int sent = 0;
  for (int i = 0; i < times && connection.Send(octets); ++i) sent += each;
  return sent;
}

std::string Repeated(const std::string& octets, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) absl::StrAppend(&all, octets);
  return all;
}

}  // namespace

int FloodWithResets(const FloodTarget& target, const std::atomic<bool>& stopping) {
  const std::string fields = http2::CallFields(kIssueMany);
  return OnConnections(target, stopping, [&](RawHttp2& connection) {
    int sent = 0;
    for (std::uint32_t stream = 1; stream < 2 * 2000; stream += 2, ++sent) {
      if (!connection.Send(absl::StrCat(http2::Headers(stream, fields), http2::Reset(stream)))) {
        break;
      }
    }
    return sent;
  });
}

int FloodWithPings(const FloodTarget& target, const std::atomic<bool>& stopping) {
  const std::string pings = Repeated(http2::Frame(http2::kPing, 0, 0, "12345678"), 100);
  return OnConnections(target, stopping, [&](RawHttp2& connection) {
    return SendUntilRefused(connection, pings, 100, 20);
  });
}

int FloodWithSettings(const FloodTarget& target, const std::atomic<bool>& stopping) {
  const std::string settings =
      Repeated(http2::Frame(http2::kSettings, 0, 0, http2::Setting(4, 70'000)), 100);
  return OnConnections(target, stopping, [&](RawHttp2& connection) {
    return SendUntilRefused(connection, settings, 100, 20);
  });
}

int LeaveMessagesHalfSent(const FloodTarget& target, const std::atomic<bool>& stopping) {
  const std::string half = http2::Message(std::string(60'000, 'x')).substr(0, 50'000);
  const std::string fields = http2::CallFields(kIssueOne);
  return OnConnections(target, stopping, [&](RawHttp2& connection) {
    int sent = 0;
    for (std::uint32_t stream = 1; stream < 2 * 64 && !stopping; stream += 2, ++sent) {
      if (!connection.Send(http2::Headers(stream, fields)) || !connection.SendData(stream, half)) {
        break;
      }
    }
    return sent;
  });
}

int ReadNoAnswers(const FloodTarget& target, const std::atomic<bool>& stopping) {
  constexpr std::uint16_t kInitialWindowSize = 4;
  v1::IssueCertificateRequest request;
  request.set_tenant_id("fabrikam");
  request.set_request_id(std::string(60'000, 'x'));
  const std::string message = http2::Message(request.SerializeAsString());
  const std::string fields = http2::CallFields(kIssueMany);
  return OnConnections(
      target, stopping,
      [&](RawHttp2& connection) {
        int sent = 0;
        for (std::uint32_t stream = 1; stream < 2 * 4; stream += 2) {
          if (!connection.Send(http2::Headers(stream, fields))) break;
          for (int i = 0; i < 16 && !stopping && connection.SendData(stream, message); ++i) ++sent;
        }
        return sent;
      },
      http2::Setting(kInitialWindowSize, 0));
}

int SendMalformedMessages(const FloodTarget& target, const std::atomic<bool>& stopping) {
  const std::string message = http2::Message(std::string(2000, '\xFF'));
  const std::string one = http2::CallFields(kIssueOne), many = http2::CallFields(kIssueMany);
  return OnConnections(target, stopping, [&](RawHttp2& connection) {
    int sent = 0;
    for (std::uint32_t stream = 1; stream < 2 * 100 && !stopping; stream += 2, ++sent) {
      if (!connection.Send(http2::Headers(stream, stream % 4 == 1 ? one : many)) ||
          !connection.SendData(stream, message)) {
        break;
      }
    }
    return sent;
  });
}

int CancelCalls(v1::CertificateIssuer::Stub& stub, const v1::IssueCertificateRequest& request,
                const std::atomic<bool>& stopping) {
  int count = 0;
  for (; !stopping; ++count) {
    v1::IssueCertificateResponse response;
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(1));
    static_cast<void>(stub.IssueCertificate(&context, request, &response));
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return count;
}

}  // namespace hourglass
