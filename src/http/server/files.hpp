// Files as answers.
#pragma once

#include <string>
#include <string_view>

#include <quarq/http/request.hpp>
#include <quarq/http/response.hpp>

#include "base/unique_fd.hpp"

namespace quarq::http {

/// The files below one folder. Nothing outside it is ever opened: the kernel resolves paths beneath the folder's
/// descriptor (openat2), so a link or a rename that happens meanwhile makes no difference.
class folder_files {
 public:
  /// Throws usage_error if there is no such folder.
  folder_files(const std::string& folder, std::string prefix);

  /// Throws problem(404).
  response answer(const request& r) const;

 private:
  base::unique_fd open(const std::string& path) const;

  base::unique_fd folder_;
  std::string prefix_;
};

/// REQUIRES: an open file. `name`: for the type.
response answer_with_file(const request& r, base::unique_fd file, std::string_view name);

/// "text/html; charset=utf-8" for "a.html"; "application/octet-stream" for what is not known.
std::string_view type_of_file(std::string_view name) noexcept;

}  // namespace quarq::http
