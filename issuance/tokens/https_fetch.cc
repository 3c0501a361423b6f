#include "issuance/tokens/https_fetch.h"

#include <curl/curl.h>

#include <algorithm>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace hourglass::issuance {
namespace {

constexpr std::size_t kMaxUrl = 2048;

struct CurlDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using CurlPtr = std::unique_ptr<CURL, CurlDeleter>;

struct Answer {
  std::string body;
  std::size_t max_size;
  bool too_large = false;
  const std::atomic<bool>* stop;
};

std::size_t OnBody(char* octets, std::size_t size, std::size_t count, void* context) {
  Answer& answer = *static_cast<Answer*>(context);
  if (size * count > answer.max_size - answer.body.size()) {
    answer.too_large = true;
    return 0;
  }
  answer.body.append(octets, size * count);
  return size * count;
}

int OnProgress(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return *static_cast<Answer*>(context)->stop ? 1 : 0;
}

// Once for the process, and never undone: other threads may still use it.
bool LibraryIsReady() {
  static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return ready;
}

template <typename Value>
void Set(CURL* handle, CURLoption option, Value value, bool* all) {
  *all = *all && curl_easy_setopt(handle, option, value) == CURLE_OK;
}

// Whether all options could be set: one that this libcurl does not know might be one that protects.
bool SetOptions(CURL* handle, const HttpsRequest& request, char* error, Answer* answer) {
  bool all = true;
  Set(handle, CURLOPT_URL, request.url.c_str(), &all);
  Set(handle, CURLOPT_PROTOCOLS_STR, "https", &all);
  Set(handle, CURLOPT_REDIR_PROTOCOLS_STR, "https", &all);
  Set(handle, CURLOPT_FOLLOWLOCATION, 0L, &all);
  Set(handle, CURLOPT_SSL_VERIFYPEER, 1L, &all);
  Set(handle, CURLOPT_SSL_VERIFYHOST, 2L, &all);
  Set(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2), &all);  // NOLINT
  if (!request.ca_file.empty()) {
    Set(handle, CURLOPT_CAINFO, request.ca_file.c_str(), &all);
    Set(handle, CURLOPT_CAPATH, static_cast<char*>(nullptr), &all);
  }
  Set(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(request.deadline.count()), &all);  // NOLINT
  Set(handle, CURLOPT_NOSIGNAL, 1L, &all);
  // Whoever ends this does not wait for a name that nobody resolves.
  Set(handle, CURLOPT_QUICK_EXIT, 1L, &all);
  Set(handle, CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(request.max_size), &all);
  Set(handle, CURLOPT_ERRORBUFFER, error, &all);
  Set(handle, CURLOPT_WRITEFUNCTION, &OnBody, &all);
  Set(handle, CURLOPT_WRITEDATA, static_cast<void*>(answer), &all);
  Set(handle, CURLOPT_NOPROGRESS, 0L, &all);
  Set(handle, CURLOPT_XFERINFOFUNCTION, &OnProgress, &all);
  Set(handle, CURLOPT_XFERINFODATA, static_cast<void*>(answer), &all);
  Set(handle, CURLOPT_USERAGENT, "hourglass", &all);
  return all;
}

}  // namespace

std::string MistakeInHttpsUrl(absl::string_view url) {
  if (url.size() > kMaxUrl) return absl::StrCat("must be at most ", kMaxUrl, " octets");
  const bool plain = std::all_of(url.begin(), url.end(), [](unsigned char c) {
    return absl::ascii_isgraph(c) && c != '"' && c != '\\' && c != '<' && c != '>';
  });
  absl::string_view rest = url;
  if (!plain || !absl::ConsumePrefix(&rest, "https://")) {
    return "must begin with https://, and have no white space and no letters beyond ASCII";
  }
  const absl::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  if (authority.empty() || authority[0] == ':') return "must name a host";
  if (authority.find('@') != absl::string_view::npos) return "must not have a user before the host";
  if (rest.find('#') != absl::string_view::npos) return "must not have a fragment";
  return "";
}

absl::StatusOr<std::string> FetchHttps(const HttpsRequest& request, const std::atomic<bool>& stop) {
  if (const std::string mistake = MistakeInHttpsUrl(request.url); !mistake.empty()) {
    return absl::UnavailableError(absl::StrCat("the URL ", mistake));
  }
  const CurlPtr handle(LibraryIsReady() ? curl_easy_init() : nullptr);
  char error[CURL_ERROR_SIZE] = "";
  Answer answer = {"", request.max_size, false, &stop};
  if (handle == nullptr || !SetOptions(handle.get(), request, error, &answer)) {
    return absl::UnavailableError("libcurl cannot be used");
  }
  const CURLcode code = curl_easy_perform(handle.get());
  if (answer.too_large || code == CURLE_FILESIZE_EXCEEDED) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the answer has more than ", request.max_size, " octets"));
  }
  if (code != CURLE_OK) {
    const absl::string_view said = error;
    return absl::UnavailableError(
        absl::StrCat("cannot be fetched: ", said.empty() ? curl_easy_strerror(code) : said));
  }
  long status = 0;  // NOLINT(google-runtime-int): libcurl's
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status != 200) {
    return absl::UnavailableError(
        absl::StrCat("cannot be fetched: the server answered with status ", status,
                     status >= 300 && status < 400 ? ", and no redirect is followed" : ""));
  }
  return std::move(answer.body);
}

}  // namespace hourglass::issuance
