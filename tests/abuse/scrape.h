#ifndef HOURGLASS_TESTS_ABUSE_SCRAPE_H_
#define HOURGLASS_TESTS_ABUSE_SCRAPE_H_

#include <string>

namespace hourglass {

// What `GET /metrics` answers at this `host:port`, with its head.
std::string Scrape(const std::string& address);

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_ABUSE_SCRAPE_H_
