// Certificates that the OpenSSL CLI makes, and what its library reads in certificates.
#ifndef HOURGLASS_CA_TESTING_OPENSSL_CERTIFICATES_H_
#define HOURGLASS_CA_TESTING_OPENSSL_CERTIFICATES_H_

#include <gtest/gtest.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "ca/certificate/certificate.h"
#include "ca/encoding/der.h"
#include "hsm/base/openssl.h"
#include "tests/support/openssl_der.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::ca {

enum OpensslKey { kP256Key, kP384Key, kRsaKey };

class OpensslCertificates : public testing::Test {
 protected:
  // A self-signed certificate, DER, with these extensions, as OpenSSL's configuration names them.
  std::string Make(OpensslKey key,
                   const std::vector<std::string>& extensions = {
                       "subjectKeyIdentifier=hash", "authorityKeyIdentifier=keyid:always",
                       "basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign",
                       "extendedKeyUsage=clientAuth"}) const {
    const std::string configuration = directory_.Write(
        "openssl.cnf",
        absl::StrCat("[req]\ndistinguished_name=dn\nx509_extensions=ext\n[dn]\n[ext]\n",
                     absl::StrJoin(extensions, "\n"), "\n"));
    std::vector<std::string> command = {"openssl", "req", "-x509", "-new", "-nodes", "-days", "30"};
    const std::vector<std::string> files = {"-config",  configuration,
                                            "-keyout",  directory_.File("key.pem"),
                                            "-out",     directory_.File("out.der"),
                                            "-outform", "DER",
                                            "-subj",    "/CN=anyone"};
    command.insert(command.end(), files.begin(), files.end());
    if (key == kRsaKey) {
      command.insert(command.end(), {"-newkey", "rsa:2048", "-sha256"});
    } else {
      const bool p256 = key == kP256Key;
      command.insert(command.end(), {"-newkey", "ec", "-pkeyopt",
                                     p256 ? "ec_paramgen_curve:P-256" : "ec_paramgen_curve:P-384",
                                     p256 ? "-sha256" : "-sha384"});
    }
    const CommandResult result = RunCommand(command);
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return ReadFileOrDie(directory_.File("out.der"));
  }

  // Every part of a certificate as text.
  static std::string Describe(const CertificateView& view) {
    std::string text;
    const auto say = [&text](absl::string_view name, absl::string_view octets) {
      absl::StrAppend(&text, name, " ", absl::BytesToHexString(octets), "\n");
    };
    say("version", view.version.empty() ? absl::string_view("\0", 1) : view.version);
    say("serial", view.serial_number);
    say("signed algorithm", view.signed_algorithm);
    say("issuer", view.issuer);
    say("not before", view.not_before);
    say("not after", view.not_after);
    say("subject", view.subject);
    say("key", view.subject_public_key_info);
    for (const ExtensionView& extension : view.extensions) {
      say(extension.critical ? "critical" : "extension", extension.oid);
      say("value", extension.value);
    }
    say("algorithm", view.algorithm);
    say("signature", view.signature);
    return text;
  }

  // The same of what OpenSSL reads in `certificate`; empty where it does not read it, or not all.
  static std::string DescribeByOpenssl(const std::string& certificate) {
    const auto* cursor = reinterpret_cast<const unsigned char*>(certificate.data());
    const auto* const end = cursor + certificate.size();
    const X509Ptr read(d2i_X509(nullptr, &cursor, static_cast<long>(certificate.size())));
    if (read == nullptr) DrainOpensslErrors();
    return read == nullptr || cursor != end ? "" : DescribeRead(*read);
  }

 private:
  static std::string Octets(const ASN1_STRING* string) {
    const unsigned char* const octets = ASN1_STRING_get0_data(string);
    return std::string(octets, octets + ASN1_STRING_length(string));
  }

  static std::string DescribeRead(X509& read) {
    CertificateView view{};
    const std::string serial = DerByOpenssl(i2d_ASN1_INTEGER, X509_get0_serialNumber(&read));
    const ASN1_BIT_STRING* bits = nullptr;
    const X509_ALGOR* algorithm = nullptr;
    X509_get0_signature(&bits, &algorithm, &read);
    const std::string signed_algorithm = DerByOpenssl(i2d_X509_ALGOR, X509_get0_tbs_sigalg(&read)),
                      beside = DerByOpenssl(i2d_X509_ALGOR, algorithm), signature = Octets(bits),
                      not_before = DerByOpenssl(i2d_ASN1_TIME, X509_get0_notBefore(&read)),
                      not_after = DerByOpenssl(i2d_ASN1_TIME, X509_get0_notAfter(&read)),
                      issuer = DerByOpenssl(i2d_X509_NAME, X509_get_issuer_name(&read)),
                      subject = DerByOpenssl(i2d_X509_NAME, X509_get_subject_name(&read)),
                      key = DerByOpenssl(i2d_X509_PUBKEY, X509_get_X509_PUBKEY(&read));
    const std::string version(1, static_cast<char>(X509_get_version(&read)));
    view.version = version;
    view.serial_number = *der::ReadOnly(serial, der::kInteger);
    view.signed_algorithm = signed_algorithm;
    view.issuer = issuer;
    view.not_before = not_before;
    view.not_after = not_after;
    view.subject = subject;
    view.subject_public_key_info = key;
    view.algorithm = beside;
    view.signature = signature;
    std::vector<std::string> kept(static_cast<std::size_t>(X509_get_ext_count(&read)));
    for (std::size_t i = 0; i < kept.size(); ++i) {
      X509_EXTENSION* const extension = X509_get_ext(&read, static_cast<int>(i));
      const ASN1_OBJECT* const oid = X509_EXTENSION_get_object(extension);
      kept[i] = Octets(X509_EXTENSION_get_data(extension));
      view.extensions.push_back(
          {absl::string_view(reinterpret_cast<const char*>(OBJ_get0_data(oid)), OBJ_length(oid)),
           X509_EXTENSION_get_critical(extension) == 1, false, kept[i]});
    }
    return Describe(view);
  }

  TemporaryDirectory directory_;
};

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_TESTING_OPENSSL_CERTIFICATES_H_
