#include "issuance/config/tls_fitness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/config/tls_files.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

constexpr char kServer[] = "extendedKeyUsage=serverAuth\nsubjectAltName=DNS:ca.contoso.example\n";
constexpr char kP256[] = "ec";

// Certificates made with OpenSSL's own program.
class TlsFitnessTest : public testing::Test {
 protected:
  TlsFitnessTest() {
    Run({"req", "-x509", "-nodes", "-subj", "/CN=authority", "-days", "30", "-newkey", "ec",
         "-pkeyopt", "ec_paramgen_curve:P-256", "-keyout", File("authority.key"), "-out",
         File("authority.pem"), "-addext", "keyUsage=critical,keyCertSign"});
  }

  std::string File(const std::string& name) const { return directory_.File(name); }

  static void Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "openssl");
    const CommandResult result = RunCommand(arguments);
    ASSERT_EQ(result.exit_code, 0) << result.output;
  }

  // PEM of a certificate that `issuer` signed.
  std::string Make(const std::string& name, const std::string& extensions,
                   const std::string& key = kP256, const std::string& digest = "-sha256",
                   const std::string& issuer = "authority") {
    std::vector<std::string> request = {"req",
                                        "-new",
                                        "-nodes",
                                        "-subj",
                                        "/CN=" + name,
                                        "-newkey",
                                        key,
                                        "-keyout",
                                        File(name + ".key"),
                                        "-out",
                                        File(name + ".csr")};
    if (key == kP256) request.insert(request.end(), {"-pkeyopt", "ec_paramgen_curve:P-256"});
    Run(request);
    Run({"x509", "-req", digest, "-in", File(name + ".csr"), "-CA", File(issuer + ".pem"), "-CAkey",
         File(issuer + ".key"), "-days", "10", "-extfile",
         directory_.Write(name + ".ext", extensions), "-out", File(name + ".pem")});
    return Pem(name);
  }

  std::string Pem(const std::string& name) const { return ReadFileOrDie(File(name + ".pem")); }

  static std::vector<X509Ptr> Parse(const std::string& pem) {
    std::string mistake;
    std::vector<X509Ptr> certificates = ParseCertificates(pem, &mistake);
    EXPECT_EQ(mistake, "");
    return certificates;
  }

  TemporaryDirectory directory_;
};

TEST_F(TlsFitnessTest, TakesWhatDoes) {
  const std::string server = Make("server", kServer);
  EXPECT_THAT(MistakesInChain(Parse(server), TlsSide::kServer), IsEmpty());
  EXPECT_THAT(MistakesInChain(Parse(server + Pem("authority")), TlsSide::kServer), IsEmpty());
  const std::string client = Make("client", "extendedKeyUsage=clientAuth\n");
  EXPECT_THAT(MistakesInChain(Parse(client), TlsSide::kClient), IsEmpty());
  const std::string rsa = Make("rsa", kServer, "rsa:2048");
  EXPECT_THAT(MistakesInChain(Parse(rsa), TlsSide::kServer), IsEmpty());
  EXPECT_THAT(MistakesInTrustedRoots(Parse(Pem("authority"))), IsEmpty());
}

TEST_F(TlsFitnessTest, SaysWhatACertificateIsNotFor) {
  const std::string names = "subjectAltName=DNS:ca.contoso.example\n";
  const std::string client = Make("client", "extendedKeyUsage=clientAuth\n" + names);
  EXPECT_THAT(MistakesInChain(Parse(client), TlsSide::kServer),
              ElementsAre("is for clients only: its extendedKeyUsage lacks serverAuth"));
  const std::string server = Make("server", kServer);
  EXPECT_THAT(MistakesInChain(Parse(server), TlsSide::kClient),
              ElementsAre("is for servers only: its extendedKeyUsage lacks clientAuth"));
  const std::string mail = Make("mail", "extendedKeyUsage=emailProtection\n" + names);
  EXPECT_THAT(MistakesInChain(Parse(mail), TlsSide::kServer),
              ElementsAre("is not for TLS: its extendedKeyUsage lacks serverAuth"));
  const std::string signer = Make("signer", absl::StrCat(kServer, "keyUsage=cRLSign\n"));
  EXPECT_THAT(MistakesInChain(Parse(signer), TlsSide::kServer),
              ElementsAre("is not for TLS: its keyUsage lacks digitalSignature"));
}

TEST_F(TlsFitnessTest, WantsAServerToNameAHost) {
  for (const char* names : {"", "subjectAltName=URI:urn:service\n"}) {
    const std::string server = Make("server", absl::StrCat("extendedKeyUsage=serverAuth\n", names));
    EXPECT_THAT(MistakesInChain(Parse(server), TlsSide::kServer),
                ElementsAre(StartsWith("names no host: ")));
  }
  const std::string by_address =
      Make("address", "extendedKeyUsage=serverAuth\nsubjectAltName=IP:192.0.2.1\n");
  EXPECT_THAT(MistakesInChain(Parse(by_address), TlsSide::kServer), IsEmpty());
}

TEST_F(TlsFitnessTest, RefusesWhatOpensslWillRefuse) {
  const std::string weak = Make("weak", kServer, "rsa:1024");
  EXPECT_THAT(MistakesInChain(Parse(weak), TlsSide::kServer),
              ElementsAre(StartsWith("has a key that is too weak for TLS")));
  const std::string sha1 = Make("sha1", kServer, kP256, "-sha1");
  EXPECT_THAT(MistakesInChain(Parse(sha1), TlsSide::kServer),
              ElementsAre("is signed with a digest that is too weak for TLS, such as SHA-1"));
}

TEST_F(TlsFitnessTest, WantsAChainInItsOrder) {
  const std::string middle = Make("middle", "basicConstraints=critical,CA:TRUE\n");
  const std::string leaf = Make("leaf", kServer, kP256, "-sha256", "middle");
  EXPECT_THAT(MistakesInChain(Parse(leaf + middle), TlsSide::kServer), IsEmpty());
  EXPECT_THAT(MistakesInChain(Parse(leaf + Pem("authority")), TlsSide::kServer),
              ElementsAre("certificate 2 of the file did not issue the one before it"));
  const std::string weak = Make("weak", "basicConstraints=critical,CA:TRUE\n", "rsa:1024");
  const std::string under = Make("under", kServer, kP256, "-sha256", "weak");
  EXPECT_THAT(MistakesInChain(Parse(under + weak), TlsSide::kServer),
              ElementsAre(StartsWith("certificate 2 of the file has a key that is too weak")));
}

TEST_F(TlsFitnessTest, WantsRootsThatSomethingChainsTo) {
  const std::string leaf = Make("leaf", kServer);
  EXPECT_THAT(MistakesInTrustedRoots(Parse(Pem("authority") + leaf)),
              ElementsAre(StartsWith("certificate 2 of the file is of no authority")));
  Run({"req", "-x509", "-nodes", "-subj", "/CN=own", "-newkey", "ec", "-pkeyopt",
       "ec_paramgen_curve:P-256", "-keyout", File("own.key"), "-out", File("own.pem"), "-addext",
       "basicConstraints=critical,CA:FALSE", "-addext", "keyUsage=digitalSignature"});
  EXPECT_THAT(MistakesInTrustedRoots(Parse(Pem("own"))), IsEmpty()) << "it chains to itself";
  Run({"req", "-x509", "-nodes", "-subj", "/CN=weak", "-newkey", "rsa:1024", "-keyout",
       File("weak.key"), "-out", File("weak.pem")});
  EXPECT_THAT(MistakesInTrustedRoots(Parse(Pem("weak"))),
              ElementsAre(StartsWith("has a key that is too weak for TLS")));
}

TEST_F(TlsFitnessTest, SaysWhenAPeriodIsOverOrYetToCome) {
  const std::vector<X509Ptr> chain = Parse(Make("leaf", kServer) + Pem("authority"));
  const Timestamp now = SystemClock().Now();
  const std::chrono::hours day(24);
  EXPECT_THAT(MistakesInPeriods(chain, now), IsEmpty());
  EXPECT_THAT(MistakesInPeriods(chain, now + 11 * day),
              ElementsAre(StartsWith("certificate 1 of the file expired at 2")));
  EXPECT_THAT(MistakesInPeriods(chain, now - day),
              ElementsAre(StartsWith("certificate 1 of the file is not valid before 2"),
                          StartsWith("certificate 2 of the file is not valid before 2")));
  EXPECT_THAT(MistakesInPeriodsOfRoots(chain, now + 11 * day), IsEmpty()) << "one is left";
  EXPECT_EQ(MistakesInPeriodsOfRoots(chain, now + 31 * day).size(), 2u);
}

}  // namespace
}  // namespace hourglass::issuance
