// The certificates that every relying party is shown, and the roots that it trusts.
#ifndef HOURGLASS_TESTS_RELYING_PARTIES_MATRIX_CELLS_H_
#define HOURGLASS_TESTS_RELYING_PARTIES_MATRIX_CELLS_H_

#include <string>
#include <vector>

#include "tests/relying_parties/openssl_ca.h"
#include "tools/gateways/kit.h"

namespace hourglass::matrix {

// Whom the relying parties expect.
inline constexpr char kUser[] = "alice@contoso.example";
// Another who may come in where kits have allowed users, with what a program may take for its own.
inline constexpr char kMarkedUser[] = "o'brien$1#&^~x@contoso.example";
inline constexpr char kAllowedUsers[] = "alice@contoso.example, o'brien$1#&^~x@contoso.example";

// A column of the matrix.
struct CellName {
  const char* id;     // `no_oid`
  const char* title;  // of the column
  const char* words;  // what the certificate is
  bool is_good;       // whether it should come in
};

// In the order of the columns.
const std::vector<CellName>& CellNames();

struct Cell {
  std::string id;
  CertificateAndKey credential;  // what a client sends, the chain behind the leaf
};

// A tenant with two live roots, `r2` (P-256, the primary) and `r3` (RSA-2048, with an issuing
// sub-key), and one that is retired, `r1`. Good certificates are from Hourglass; those that it
// never issues from the OpenSSL CLI, with the key of r2. The constructor shows by `openssl verify`
// that each of the latter is sound but for what its cell is about, and ends the process where one
// is not.
class Tenant {
 public:
  Tenant();

  const gateways::KitSubject& subject() const { return subject_; }
  // The live roots, PEM, one behind the other.
  const std::string& roots_pem() const { return roots_pem_; }
  const std::vector<Cell>& cells() const { return cells_; }
  const CertificateAndKey& credential(const std::string& cell) const;
  // A good one of kMarkedUser.
  const CertificateAndKey& of_marked_user() const { return credential("marked_user"); }

  // What servers show: names `localhost` and `gateway.contoso.example`, address 127.0.0.1. From an
  // authority of its own.
  const CertificateAndKey& server() const { return server_; }
  const std::string& server_root_pem() const { return server_root_pem_; }

  // Revocation lists without entries, PEM. Of r2, which has no cRLSign; of an authority that issued
  // nothing here.
  const std::string& list_of_root() const { return list_of_root_; }
  const std::string& list_of_stranger() const { return list_of_stranger_; }
  // A root that has cRLSign, with its list and a certificate of the same kind as the good ones:
  // what Hourglass would have to issue, for lists to help.
  const std::string& signing_root_pem() const { return signing_root_pem_; }
  const std::string& list_of_signing_root() const { return list_of_signing_root_; }
  const CertificateAndKey& of_signing_root() const { return of_signing_root_; }

 private:
  void AddGoodAndUntimely();
  void AddBadPurposes();
  void AddStrangers();
  void AddLists();
  void Add(const std::string& id, const CertificateAndKey& credential) {
    cells_.push_back({id, credential});
  }

  gateways::KitSubject subject_;
  std::string roots_pem_;
  std::vector<Cell> cells_;
  CertificateAndKey root_;  // r2 with its key
  CertificateAndKey server_;
  std::string server_root_pem_;
  std::string list_of_root_;
  std::string list_of_stranger_;
  std::string signing_root_pem_;
  std::string list_of_signing_root_;
  CertificateAndKey of_signing_root_;
};

}  // namespace hourglass::matrix

#endif  // HOURGLASS_TESTS_RELYING_PARTIES_MATRIX_CELLS_H_
