#include "test_environment.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <stdexcept>

#include <unistd.h>

namespace {

std::string new_folder() {
  std::string path = (std::filesystem::temp_directory_path() / "quarq-example-XXXXXX").string();
  if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("can't make a folder " + path);
  // The demo's programs end with the process whose number stands there.
  ::setenv("QUARQ_DEMO_PARENT", std::to_string(::getpid()).c_str(), 1);
  return path;
}

// A program that stands in the same folder as this one.
std::string beside_us(const std::string& program) {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / program;
}

// The web server names each page in a line "URL SIZE bytes", then says "ready at URL".
std::vector<std::string> wait_for_pages(child& web) {
  std::vector<std::string> urls;
  while (web.output() >= 0) {
    for (const auto& line : web.read_lines()) {
      std::istringstream words(line);
      std::string url;
      words >> url;
      if (url == "ready") {
        std::sort(urls.begin(), urls.end());
        return urls;
      }
      const auto page = url.rfind('/');
      urls.push_back(url.substr(0, page) + "/late" + url.substr(page));
    }
  }
  throw std::runtime_error("the web server did not start");
}

}  // namespace

test_environment::test_environment()
    : folder_(new_folder()),
      broker_("sqlite:" + folder_ + "/jobs.db"),
      web_("web", beside_us("quarq-demo-web"), {}),
      worker_("worker", beside_us("quarq-demo-worker"), {"--broker", broker_, "--log-level", "error"}),
      urls_(wait_for_pages(web_)) {}

// What it has started is killed a moment later.
test_environment::~test_environment() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}
