package local

import (
	"hl7lake/local/cognito"
	"hl7lake/local/template"
)

// relocate makes the addresses of the assembly's HTTP API and sign-in pages lead to url,
// where they are served here. A browser and a command find them by an output, by a
// function's environment or by the address that a page returns to; and unlike the AWS
// SDKs, a browser takes no other endpoint from its environment.
func relocate(a *template.Assembly, url string) error {
	addresses := map[string]string{}
	for _, api := range a.OfType("AWS::ApiGatewayV2::Api") {
		addresses[api.Attributes["ApiEndpoint"]] = url
	}
	for _, domain := range a.OfType("AWS::Cognito::UserPoolDomain") {
		properties, err := domain.Properties()
		if err != nil {
			return err
		}
		pool, _ := properties["UserPoolId"].(string)
		addresses[cognito.DomainAddress(domain.PhysicalID)] = url + "/" + pool
	}
	a.Relocate(addresses)
	return nil
}
