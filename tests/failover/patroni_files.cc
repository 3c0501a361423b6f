#include "tests/failover/patroni_files.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace hourglass::failover {

std::string EtcdConfiguration(const std::string& text, const EtcdPlace& place) {
  return absl::StrReplaceAll(
      text, {{"db1=https://db1.contoso.example:2380,db2=https://db2.contoso.example:2380,"
              "db3=https://db3.contoso.example:2380",
              absl::StrCat("db1=https://", place.peers.InWords())},
             {"db1.contoso.example:2379", place.clients.InWords()},
             {"db1.contoso.example:2380", place.peers.InWords()},
             {"192.0.2.1:2379", place.clients.InWords()},
             {"192.0.2.1:2380", place.peers.InWords()},
             {"/var/lib/etcd/hourglass", place.folder + "/etcd"},
             {"/etc/etcd/db-ca.pem", place.folder + "/ca.pem"},
             {"/etc/etcd/db1.pem", place.folder + "/node.pem"},
             {"/etc/etcd/db1.key", place.folder + "/node.key"}});
}

std::string PatroniConfiguration(const std::string& text, const PatroniPlace& place) {
  const std::string own_folder = absl::StrCat(place.folder, "/", place.name);
  return absl::StrReplaceAll(
      text, {{"name: db1\n", absl::StrCat("name: ", place.name, "\n")},
             // By this way alone, and not by what etcd says of its addresses.
             {"hosts: [\"db1.contoso.example:2379\", \"db2.contoso.example:2379\", "
              "\"db3.contoso.example:2379\"]",
              absl::StrCat("hosts: [\"", place.etcd.InWords(), "\"]\n  use_proxies: true")},
             {"0.0.0.0:8008", place.rest.InWords()},
             {"db1.contoso.example:8008", place.rest.InWords()},
             {"0.0.0.0:5432", place.postgresql.InWords()},
             {"db1.contoso.example:5432", place.postgresql.InWords()},
             {"/etc/patroni/db-ca.pem", place.folder + "/ca.pem"},
             {"/etc/patroni/db1.pem", place.folder + "/node.pem"},
             {"/etc/patroni/db1.key", place.folder + "/node.key"},
             {"/var/lib/postgresql/15/hourglass", own_folder + "/data"},
             {"/var/lib/postgresql/patroni.pgpass", own_folder + "/pgpass"},
             {"/var/run/postgresql", own_folder}});
}

std::string Asynchronous(const std::string& configuration) {
  return absl::StrReplaceAll(
      configuration, {{"synchronous_mode: true", "synchronous_mode: false"},
                      {"synchronous_mode_strict: true",
                       "synchronous_mode_strict: false\n    maximum_lag_on_failover: 1073741824"}});
}

}  // namespace hourglass::failover
