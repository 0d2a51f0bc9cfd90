// A page from the web: the few lines on Asio and Beast that the demo needs.
#pragma once

#include <string>

#include <quarq/awaitable.hpp>

/// The body of http://HOST[:PORT]/PATH. Throws std::runtime_error, naming the URL, if it can't be had.
quarq::awaitable<std::string> fetch(std::string url);
