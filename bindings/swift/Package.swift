// swift-tools-version:5.9
import Foundation
import PackageDescription

// On Apple's platforms the library comes as an XCFramework (see xcframework.sh), elsewhere as an installed one that pkg-config finds.
let framework = ProcessInfo.processInfo.environment["IM_CLIENT_XCFRAMEWORK"]
let library: Target =
    if let framework {
        .binaryTarget(name: "CImClient", path: framework)
    } else {
        .systemLibrary(name: "CImClient", pkgConfig: "im_client")
    }

let package = Package(
    name: "im-client",
    platforms: [.macOS(.v13), .iOS(.v16)],
    products: [.library(name: "ImClient", targets: ["ImClient"])],
    targets: [
        library,
        .target(
            name: "ImClient", dependencies: ["CImClient"],
            exclude: framework == nil ? ["PrivacyInfo.xcprivacy"] : [],
            resources: framework == nil ? [] : [.copy("PrivacyInfo.xcprivacy")],
            swiftSettings: [.enableExperimentalFeature("StrictConcurrency")]),
        .testTarget(name: "ImClientTests", dependencies: ["ImClient", "ExitWithLiveClient"]),
        .executableTarget(name: "ExitWithLiveClient", dependencies: ["ImClient"], path: "Tests/ExitWithLiveClient"),
    ]
)
