#include "tools/bench/load/idle_brokers.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/service_in_process.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::bench {
namespace {

LoadTarget TargetOf(ServiceInProcess& service, absl::string_view caller) {
  const TlsCredential& credential = service.CredentialOf(caller);
  return {service.address(), ReadFileOrDie(service.tls().trusted_roots_file()),
          ReadFileOrDie(credential.certificate_file), ReadFileOrDie(credential.private_key_file)};
}

TEST(IdleBrokersTest, StayConnectedUntilTheServiceHangsUp) {
  ServiceInProcess service;
  ASSERT_OK_AND_ASSIGN(const IdleBrokers brokers,
                       IdleBrokers::Connect(TargetOf(service, kWideBroker), 20));
  EXPECT_EQ(brokers.Connected(), 20);
  // It serves others meanwhile.
  service.MakeReady();
  EXPECT_TRUE(service.Issue(service.Request()).ok());
  EXPECT_EQ(brokers.Connected(), 20);
  service.Restart();
  EXPECT_EQ(brokers.Connected(), 0);
}

TEST(IdleBrokersTest, WithoutAServiceThereIsNone) {
  ServiceInProcess service;
  LoadTarget target = TargetOf(service, kWideBroker);
  target.address = "127.0.0.1:1";
  EXPECT_EQ(IdleBrokers::Connect(target, 1).status().code(), absl::StatusCode::kUnavailable);
  // A service that it does not trust.
  const MutualTls other;
  target = TargetOf(service, kWideBroker);
  target.trusted_roots = ReadFileOrDie(other.trusted_roots_file());
  EXPECT_EQ(IdleBrokers::Connect(target, 1).status().code(), absl::StatusCode::kUnavailable);
}

TEST(IdleBrokersTest, MoreThanFilesMayBeOpenAreRefused) {
  EXPECT_EQ(IdleBrokers::Connect({"127.0.0.1:1", "", "", ""}, 2'000'000'000).status().code(),
            absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace hourglass::bench
