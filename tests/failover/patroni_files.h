// The configuration files of docs/fail-over.md, with the places of a test in them.
#ifndef HOURGLASS_TESTS_FAILOVER_PATRONI_FILES_H_
#define HOURGLASS_TESTS_FAILOVER_PATRONI_FILES_H_

#include <string>

#include "tests/failover/gate.h"

namespace hourglass::failover {

// Of the one etcd. `folder` has node.pem and node.key, which all show to each other, and ca.pem.
struct EtcdPlace {
  Endpoint clients;
  Endpoint peers;
  std::string folder;
};

// Of one node, whose own folder is `folder`/`name`.
struct PatroniPlace {
  std::string name;
  Endpoint postgresql;
  Endpoint rest;
  Endpoint etcd;
  std::string folder;
};

// `text` is that of the document.
std::string EtcdConfiguration(const std::string& text, const EtcdPlace& place);
std::string PatroniConfiguration(const std::string& text, const PatroniPlace& place);

// What PatroniConfiguration gave, without a synchronous standby; one that is far behind takes over
// all the same.
std::string Asynchronous(const std::string& configuration);

}  // namespace hourglass::failover

#endif  // HOURGLASS_TESTS_FAILOVER_PATRONI_FILES_H_
