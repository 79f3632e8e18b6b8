# An external for Max/MSP, built with the Max SDK: README.md says how.
cmake_minimum_required(VERSION 3.19)

set(MAX_SDK_BASE "" CACHE PATH "The folder max-sdk-base of the Max SDK")
if(NOT EXISTS "${MAX_SDK_BASE}/script/max-pretarget.cmake")
    message(FATAL_ERROR "Say where the Max SDK is: cmake -DMAX_SDK_BASE=/path/to/max-sdk/source/max-sdk-base ...")
endif()

# What is built stays in the build folder; the SDK's own place is three folders above this one.
if(NOT DEFINED C74_LIBRARY_OUTPUT_DIRECTORY)
    set(C74_LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")
endif()

# The SDK calls what a project named like this makes NAME~.
project(NAME_tilde CXX C)
include("${MAX_SDK_BASE}/script/max-pretarget.cmake")

add_library(NAME_tilde MODULE "NAME~.cpp")
target_include_directories(NAME_tilde PRIVATE ${MAX_SDK_INCLUDES} ${MAX_SDK_MSP_INCLUDES})
target_compile_definitions(NAME_tilde PRIVATE FAUSTFLOAT=double)
target_compile_features(NAME_tilde PRIVATE cxx_std_11)

include("${MAX_SDK_BASE}/script/max-posttarget.cmake")
