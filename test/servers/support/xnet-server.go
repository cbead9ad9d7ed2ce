// Serves WebDAV with golang.org/x/net/webdav: a folder as /, and a collection in memory as /memory/. `webdav FOLDER PORT`.
package main

import (
	"net/http"
	"os"

	"golang.org/x/net/webdav"
)

func main() {
	folder := &webdav.Handler{FileSystem: webdav.Dir(os.Args[1]), LockSystem: webdav.NewMemLS()}
	// webdav.Dir keeps no dead properties.
	memory := &webdav.Handler{Prefix: "/memory", FileSystem: webdav.NewMemFS(), LockSystem: webdav.NewMemLS()}
	// A ServeMux would redirect a path with a doubled slash.
	panic(http.ListenAndServe("127.0.0.1:"+os.Args[2], http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.URL.Path) >= 8 && r.URL.Path[:8] == "/memory/" {
			memory.ServeHTTP(w, r)
			return
		}
		folder.ServeHTTP(w, r)
	})))
}
