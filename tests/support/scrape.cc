#include "tests/support/scrape.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "tests/support/loopback.h"

namespace hourglass {

std::string Scrape(const std::string& address) {
  const issuance::Descriptor connection = ConnectTo(address);
  if (!connection.valid()) {
    ADD_FAILURE() << "no metrics at \"" << address << "\": " << std::strerror(errno);
    return "";
  }
  const std::string request = "GET /metrics HTTP/1.0\r\n\r\n";
  EXPECT_EQ(send(connection.get(), request.data(), request.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(request.size()));
  std::string answer;
  char piece[4096];
  for (ssize_t size; (size = read(connection.get(), piece, sizeof(piece))) > 0;) {
    answer.append(piece, static_cast<std::size_t>(size));
  }
  return answer;
}

}  // namespace hourglass
