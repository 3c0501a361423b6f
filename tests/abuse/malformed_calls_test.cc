// Messages that are none: every method says so with a reason, and the log and the metrics know who
// sent them.
#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <grpcpp/impl/client_unary_call.h>
#include <grpcpp/impl/rpc_method.h>
#include <grpcpp/support/byte_buffer.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hourglass/v1/blocks.pb.h"
#include "hourglass/v1/clock.pb.h"
#include "hourglass/v1/compliance.pb.h"
#include "hourglass/v1/device_keys.pb.h"
#include "hourglass/v1/devices.pb.h"
#include "hourglass/v1/directory.pb.h"
#include "hourglass/v1/issuance.pb.h"
#include "hourglass/v1/journal.pb.h"
#include "hourglass/v1/keys.pb.h"
#include "hourglass/v1/policies.pb.h"
#include "hourglass/v1/roots.pb.h"
#include "hourglass/v1/service_status.pb.h"
#include "hourglass/v1/tenants.pb.h"
#include "hourglass/v1/trust_bundles.pb.h"
#include "tests/support/daemon.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/scrape.h"

namespace hourglass {
namespace {

using google::protobuf::MethodDescriptor;
using testing::HasSubstr;

// Those that take one message, whatever they answer with.
std::vector<const MethodDescriptor*> MethodsOfOneMessage() {
  std::vector<const MethodDescriptor*> methods;
  for (const google::protobuf::FileDescriptor* file :
       {v1::Block::descriptor()->file(), v1::DeviceKey::descriptor()->file(),
        v1::DirectoryUser::descriptor()->file(), v1::Clock::descriptor()->file(),
        v1::Verdict::descriptor()->file(), v1::Device::descriptor()->file(),
        v1::IssueCertificateRequest::descriptor()->file(), v1::TrustBundle::descriptor()->file(),
        v1::JournalEntry::descriptor()->file(), v1::Key::descriptor()->file(),
        v1::Policy::descriptor()->file(), v1::Root::descriptor()->file(),
        v1::ServiceStatus::descriptor()->file(), v1::Tenant::descriptor()->file()}) {
    for (int i = 0; i < file->service(0)->method_count(); ++i) {
      const MethodDescriptor* const method = file->service(0)->method(i);
      if (!method->client_streaming()) methods.push_back(method);
    }
  }
  return methods;
}

class MalformedCallsTest : public testing::Test {
 protected:
  MalformedCallsTest() {
    daemon_.Configure(absl::StrCat("{tokens: [\"", daemon_.token().Uri(), "\"]}"),
                      daemon_.data_directory(), "metrics: {listen: 127.0.0.1:0}\n");
  }

  void SetUp() override {
    ASSERT_TRUE(daemon_.Start()) << daemon_.Log();
    daemon_.MakeReady();
  }

  grpc::Status Call(absl::string_view caller, const MethodDescriptor& method,
                    const std::string& octets) {
    const std::string path = absl::StrCat("/", method.service()->full_name(), "/", method.name());
    const grpc::internal::RpcMethod rpc(path.c_str(), grpc::internal::RpcMethod::NORMAL_RPC);
    const grpc::Slice slice(octets);
    const grpc::ByteBuffer request(&slice, 1);
    grpc::ByteBuffer response;
    grpc::ClientContext context;
    const auto channel = daemon_.ChannelAs(caller);
    return grpc::internal::BlockingUnaryCall<grpc::ByteBuffer, grpc::ByteBuffer>(
        channel.get(), rpc, &context, request, &response);
  }

  Daemon daemon_;
};

TEST_F(MalformedCallsTest, EveryMethodRefusesThemWithAReason) {
  const std::vector<const MethodDescriptor*> methods = MethodsOfOneMessage();
  ASSERT_GE(methods.size(), 32U);
  int refused = 0;
  for (const MethodDescriptor* method : methods) {
    const std::string type = absl::StrCat("hourglass.v1.", method->input_type()->name());
    // A field that ends behind the message's end.
    std::vector<std::string> malformed = {std::string("\x0a\xff", 2)};
    // The first field of most requests is a text.
    if (method->input_type()->field_count() > 0 &&
        method->input_type()->field(0)->type() == google::protobuf::FieldDescriptor::TYPE_STRING) {
      malformed.push_back("\x0a\x01\xff");
    }
    for (const std::string& octets : malformed) {
      const grpc::Status status = Call(kAdministrator, *method, octets);
      EXPECT_THAT(status, RefusedWith(v1::FIELD_INVALID, "")) << method->name();
      EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
      EXPECT_THAT(status.error_message(), HasSubstr(type)) << method->name();
      ++refused;
    }
    EXPECT_TRUE(
        daemon_.WaitForLog(absl::StrCat("\"event\":\"call_failed\",\"method\":\"", method->name(),
                                        "\",\"caller\":\"administrator\",\"peer\":\"ipv4:")))
        << method->name() << daemon_.Log();
  }
  const std::string metrics = Scrape(daemon_.LastLogged("metrics_address"));
  EXPECT_THAT(metrics, HasSubstr(absl::StrCat(
                           "hourglass_calls_failed_total{reason=\"FIELD_INVALID\"} ", refused)));
  EXPECT_THAT(metrics,
              HasSubstr("hourglass_certificates_refused_total{reason=\"FIELD_INVALID\"} 2\n"));
  // Whoever asks as one should is served.
  EXPECT_THAT(daemon_.Issue(daemon_.Request()), Succeeded());
  EXPECT_EQ(daemon_.JournalSize(), 1);
}

TEST_F(MalformedCallsTest, FieldsThatTheServiceDoesNotKnowAreNoMistake) {
  v1::IssueCertificateRequest request = daemon_.Request();
  // Field 1000, as a later version may have one.
  request.GetReflection()->MutableUnknownFields(&request)->AddLengthDelimited(1000, "later");
  EXPECT_THAT(daemon_.Issue(request), Succeeded());
}

}  // namespace
}  // namespace hourglass
