// What goes with a call besides its arguments and options: headers, tags and a version.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace quarq::detail {

struct labels {
  std::map<std::string, std::string> headers;
  std::vector<std::string> tags;
  int version = 0;  ///< 0: none

  friend bool operator==(const labels&, const labels&) = default;
};

/// Those of a call. One pointer, as most calls have none; copies of a call share them until one is changed.
class call_labels {
 public:
  void set_header(std::string name, std::string value) { own().headers[std::move(name)] = std::move(value); }
  void add_tag(std::string word) { own().tags.push_back(std::move(word)); }
  void set_version(int number) { own().version = number; }

  /// Null if there are none.
  const std::shared_ptr<const labels>& get() const noexcept { return shared_; }

 private:
  labels& own() {
    auto mine = shared_ ? std::make_shared<labels>(*shared_) : std::make_shared<labels>();
    auto& reference = *mine;
    shared_ = std::move(mine);
    return reference;
  }
  std::shared_ptr<const labels> shared_;
};

}  // namespace quarq::detail
