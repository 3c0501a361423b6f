#include "issuance/tokens/https_fetch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "issuance/tokens/testing/key_server.h"
#include "tests/support/loopback.h"
#include "tests/support/mutual_tls.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using testing::HasSubstr;

class HttpsFetchTest : public testing::Test {
 protected:
  HttpsFetchTest() { server_.Publish("the keys"); }

  absl::StatusOr<std::string> Fetch(const std::string& url,
                                    std::chrono::milliseconds deadline = std::chrono::seconds(30)) {
    return FetchHttps({.url = url, .ca_file = server_.ca_file(), .deadline = deadline}, stop_);
  }
  std::string WhyNot(const std::string& url,
                     std::chrono::milliseconds deadline = std::chrono::seconds(30)) {
    const auto body = Fetch(url, deadline);
    EXPECT_TRUE(absl::IsUnavailable(body.status())) << body.status();
    return std::string(body.status().message());
  }

  KeyServer server_;
  std::atomic<bool> stop_ = false;
};

TEST_F(HttpsFetchTest, GivesTheBody) {
  ASSERT_OK_AND_ASSIGN(const std::string body, Fetch(server_.Url()));
  EXPECT_EQ(body, "the keys");
}

TEST_F(HttpsFetchTest, OnlyAServerThatIsWhoItShouldBe) {
  ASSERT_OK(Fetch(server_.Url()));
  // A name that its certificate does not have.
  EXPECT_THAT(WhyNot(absl::StrReplaceAll(server_.Url(), {{"127.0.0.1", "localhost"}})),
              HasSubstr("no alternative certificate subject name matches"));
  // Another authority, and the system's.
  MutualTls other;
  EXPECT_THAT(FetchHttps({.url = server_.Url(), .ca_file = other.trusted_roots_file()}, stop_)
                  .status()
                  .message(),
              HasSubstr("SSL certificate problem"));
  EXPECT_THAT(FetchHttps({.url = server_.Url(), .ca_file = ""}, stop_).status().message(),
              HasSubstr("SSL certificate problem"));
  EXPECT_FALSE(FetchHttps({.url = server_.Url(), .ca_file = "/nowhere.pem"}, stop_).ok());
}

TEST_F(HttpsFetchTest, OnlyOverTls) {
  EXPECT_THAT(WhyNot(absl::StrReplaceAll(server_.Url(), {{"https", "http"}})),
              HasSubstr("must begin with https://"));
  EXPECT_THAT(WhyNot("file:///etc/passwd"), HasSubstr("must begin with https://"));
  EXPECT_EQ(server_.Asked("/keys"), 0);
}

TEST_F(HttpsFetchTest, FollowsNoRedirect) {
  for (const char* path : {"/to-http", "/to-keys"}) {
    EXPECT_THAT(WhyNot(server_.Url(path)), HasSubstr("status 302, and no redirect is followed"));
  }
  EXPECT_EQ(server_.Asked("/keys"), 0);
}

TEST_F(HttpsFetchTest, OtherAnswersAreNone) {
  EXPECT_THAT(WhyNot(server_.Url("/nothing")), HasSubstr("the server answered with status 503"));
  const std::string url = server_.Url();
  server_.Stop();
  EXPECT_THAT(WhyNot(url), HasSubstr("Failed to connect"));
}

TEST_F(HttpsFetchTest, AnAnswerIsBounded) {
  for (const char* path : {"/large", "/large-chunks"}) {
    const auto body = Fetch(server_.Url(path));
    EXPECT_TRUE(absl::IsResourceExhausted(body.status())) << body.status();
    EXPECT_EQ(body.status().message(), "the answer has more than 262144 octets");
  }
}

TEST_F(HttpsFetchTest, TakesNoLongerThanItMay) {
  for (const char* path : {"/slow", "/half"}) {
    EXPECT_THAT(WhyNot(server_.Url(path), std::chrono::milliseconds(300)), HasSubstr("timed out"));
  }
  // Nobody takes the connection out of the queue, nor says a word of TLS.
  const Listener listener = ListenOn("127.0.0.1");
  EXPECT_THAT(WhyNot(absl::StrCat("https://127.0.0.1:", listener.port, "/"),
                     std::chrono::milliseconds(300)),
              HasSubstr("timed out"));
}

TEST_F(HttpsFetchTest, EndsWhenItIsTold) {
  std::string why;
  std::thread fetch([&] { why = WhyNot(server_.Url("/slow"), std::chrono::minutes(10)); });
  EXPECT_TRUE(server_.WaitUntilAsked("/slow"));
  stop_ = true;
  fetch.join();
  EXPECT_THAT(why, HasSubstr("aborted"));
}

TEST(HttpsUrlTest, HasAHostAndNoSecret) {
  for (const char* sound :
       {"https://login.microsoftonline.com/common/discovery/v2.0/keys", "https://idp.example",
        "https://idp.example:8443/keys?a=b@c", "https://[2001:db8::1]/"}) {
    EXPECT_EQ(MistakeInHttpsUrl(sound), "") << sound;
  }
  for (const char* other : {"", "idp.example", "http://idp.example", "HTTPS://idp.example",
                            "https:/idp.example", "https://idp.example/a b", "https://idp\n",
                            "https://id\xc3\xa4p.example/", "https://a\\b/"}) {
    EXPECT_THAT(MistakeInHttpsUrl(other), HasSubstr("must begin with https://")) << other;
  }
  EXPECT_EQ(MistakeInHttpsUrl("https://user:secret@idp.example/"),
            "must not have a user before the host");
  EXPECT_EQ(MistakeInHttpsUrl("https:///keys"), "must name a host");
  EXPECT_EQ(MistakeInHttpsUrl("https://:443/"), "must name a host");
  EXPECT_EQ(MistakeInHttpsUrl("https://a/#b"), "must not have a fragment");
  EXPECT_EQ(MistakeInHttpsUrl(absl::StrCat("https://a/", std::string(2048, 'b'))),
            "must be at most 2048 octets");
}

}  // namespace
}  // namespace hourglass::issuance
