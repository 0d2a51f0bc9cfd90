// What the word count needs around it: a web server with the pages, and a worker that is somewhere else.
#pragma once

#include <string>
#include <vector>

#include "../demo/child.hpp"

class test_environment {
 public:
  /// Starts both; when it returns the pages can be asked for. Throws std::runtime_error if one does not
  /// start.
  test_environment();
  /// Ends both.
  ~test_environment();

  /// The URLs of the pages, each of which takes its time to answer.
  const std::vector<std::string>& urls() const noexcept { return urls_; }
  /// Where the worker looks for jobs.
  const std::string& broker() const noexcept { return broker_; }

 private:
  std::string folder_, broker_;
  child web_;
  child worker_;
  std::vector<std::string> urls_;
};
