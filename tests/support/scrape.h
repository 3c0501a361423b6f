// Metrics, as Prometheus reads them.
#ifndef HOURGLASS_TESTS_SUPPORT_SCRAPE_H_
#define HOURGLASS_TESTS_SUPPORT_SCRAPE_H_

#include <string>

namespace hourglass {

// What `GET /metrics` answers at this `host:port`, with its head. Fails the test where that is no
// address, or nobody answers there.
std::string Scrape(const std::string& address);

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_SUPPORT_SCRAPE_H_
